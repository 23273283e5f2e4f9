//! Large BGP communities.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::LargeCommunityError;

/// A large community (RFC 8092): three numbers of 32 bits, the first one normally the AS number
/// of who gives the others a meaning, written `4200000001:1:2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity(u32, u32, u32);

// === impl LargeCommunity ===

impl LargeCommunity {
    /// The community `administrator:first:second`.
    pub const fn new(administrator: u32, first: u32, second: u32) -> Self {
        Self(administrator, first, second)
    }

    /// The three numbers as they stand on the wire.
    pub(crate) const fn parts(self) -> [u32; 3] {
        [self.0, self.1, self.2]
    }
}

impl FromStr for LargeCommunity {
    type Err = LargeCommunityError;

    fn from_str(text: &str) -> Result<Self, LargeCommunityError> {
        let parts: Option<Vec<u32>> = text.split(':').take(4).map(|p| p.parse().ok()).collect();
        match parts.as_deref() {
            Some(&[administrator, first, second]) => Ok(Self(administrator, first, second)),
            _ => Err(LargeCommunityError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0, self.1, self.2)
    }
}

impl Serialize for LargeCommunity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_of_32_bits_are_read_and_written_and_nothing_else() {
        let community: LargeCommunity = "4200000001:0:4294967295".parse().unwrap();
        assert_eq!(community, LargeCommunity::new(4_200_000_001, 0, u32::MAX));
        assert_eq!(community.to_string(), "4200000001:0:4294967295");
        for text in ["", "1:2", "1:2:3:4", "1:2:4294967296", "a:1:2", "1::2"] {
            assert!(text.parse::<LargeCommunity>().is_err(), "{text}");
        }
    }
}
