use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, invalid};

/// Who owns a piece of state. Every record belongs to exactly one scope; a scope has one commit
/// order and one [`Revision`](crate::Revision) counter.
///
/// Its text form is `global`, `partition/NAME` or `node/NAME`; parsing accepts exactly these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One commit order for all partitions.
    Global,
    /// What one partition owns, independent of every other.
    Partition(ScopeName),
    /// Private to one node; nobody follows it.
    Node(ScopeName),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Partition(name) => write!(f, "partition/{name}"),
            Self::Node(name) => write!(f, "node/{name}"),
        }
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once('/') {
            None if text == "global" => Ok(Self::Global),
            Some(("partition", name)) => Ok(Self::Partition(ScopeName::try_from(name)?)),
            Some(("node", name)) => Ok(Self::Node(ScopeName::try_from(name)?)),
            _ => Err(invalid!(
                "{text:?} is no scope: use global, partition/NAME or node/NAME"
            )),
        }
    }
}

/// The name of a partition or node: 1 to 63 of `a-z A-Z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(Arc<str>);

// === impl ScopeName ===

impl ScopeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ScopeName {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=63).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name.into()))
        } else {
            Err(invalid!(
                "{name:?} cannot name a scope: use 1 to 63 of a-z A-Z 0-9 . _ -"
            ))
        }
    }
}

impl FromStr for ScopeName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::try_from(name)
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_what_it_prints() {
        for text in ["global", "partition/fra-equ01", "node/fra_1.A"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_scope_that_could_be_taken_for_another_is_refused() {
        let long = format!("partition/{}", "a".repeat(64));
        for text in [
            "",
            "Global",
            "global/",
            "partition/",
            "partition/a/b",
            "node/ä",
            &long,
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }
}
