use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Result, invalid};

/// The name of a table or a column: a lower-case letter, then up to 62 of `a-z 0-9 _`, so that it
/// is a plain identifier in every engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Cow<'static, str>);

// === impl Name ===

impl Name {
    /// A name known at compile time.
    ///
    /// # Panics
    /// If it is no name; in a `const` that is a compile error.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(
            is_name(name),
            "a table or column name is [a-z][a-z0-9_]{{0,62}}"
        );
        Self(Cow::Borrowed(name))
    }

    /// A name from elsewhere.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self> {
        let name = name.into();
        if is_name(&name) {
            Ok(Self(name))
        } else {
            Err(invalid!(
                "{name:?} cannot name a table or column: use [a-z][a-z0-9_]{{0,62}}"
            ))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for Name {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self> {
        Self::new(name.to_owned())
    }
}

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > 63 || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut i = 1;
    while i < bytes.len() {
        let b = bytes[i];
        if !(b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_identifier_in_every_engine() {
        for good in ["a", "size", "size_reservation2"] {
            assert!(Name::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "Size",
            "1a",
            "_a",
            "a-b",
            "a\"b",
            "a b",
            &"a".repeat(64),
        ] {
            assert!(Name::new(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
