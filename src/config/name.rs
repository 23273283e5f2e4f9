use std::{fmt, str::FromStr, sync::Arc};

use serde::{Serialize, Serializer};

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected 1 to 63 characters of a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit"
)]
pub struct NameError;

fn valid(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=63).contains(&text.len())
        && text.bytes().all(legal)
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as configured.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if valid(text) { Ok(Self(text.into())) } else { Err(NameError) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name! {
    /// The partition that this node belongs to: 1 to 63 characters of
    /// `[A-Za-z0-9._-]`, the first a letter or digit.
    PartitionId
}
name! {
    /// This node's name, unique in its partition; same characters as a
    /// [`PartitionId`].
    NodeName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_path_or_a_key_are_refused() {
        for text in [
            "",
            "..",
            ".a",
            "-a",
            "a/b",
            "a b",
            "a\n",
            "ä",
            &"x".repeat(64),
        ] {
            assert_eq!(text.parse::<PartitionId>(), Err(NameError), "{text:?}");
        }
        assert_eq!(
            "fra-1.Rack_2".parse::<NodeName>().unwrap().as_str(),
            "fra-1.Rack_2"
        );
    }
}
