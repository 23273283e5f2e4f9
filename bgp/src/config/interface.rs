//! The name of a network interface.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::InterfaceError;

/// The name of a network interface, as the kernel takes them: 1 to 15 bytes, no slash, no colon,
/// no white space. Whether there is such an interface shows later.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interface(Arc<str>);

// === impl Interface ===

impl Interface {
    const MAX: usize = 15;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Interface {
    type Err = InterfaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let forbidden =
            |c: char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
        let length = 1..=Self::MAX;
        let reserved = matches!(text, "." | "..");
        if !length.contains(&text.len()) || reserved || text.contains(forbidden) {
            let shortened = text.chars().take(32).collect();
            return Err(InterfaceError(shortened));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Interface {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_kernel_would_refuse_are_refused() {
        for name in ["eth0", "bond0.100", "enp65s0f0np0", "abcdefghijklmno"] {
            assert_eq!(name.parse::<Interface>().unwrap().as_str(), name);
        }
        for name in ["", ".", "..", "a/b", "a b", "eth0:1", "abcdefghijklmnop"] {
            assert!(name.parse::<Interface>().is_err(), "{name:?}");
        }
    }
}
