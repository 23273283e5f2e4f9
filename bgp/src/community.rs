//! BGP communities.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::CommunityError;

/// A BGP community (RFC 1997): two 16-bit halves, written `65535:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(u32);

// === impl Community ===

impl Community {
    /// The receiver lowers the preference of the route as far as it goes, so that traffic moves
    /// away before the route does (RFC 8326).
    pub const GRACEFUL_SHUTDOWN: Self = Self(0xFFFF_0000);

    /// The community `high:low`.
    pub const fn new(high: u16, low: u16) -> Self {
        Self((high as u32) << 16 | low as u32)
    }

    /// Both halves as they stand on the wire.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for Community {
    type Err = CommunityError;

    fn from_str(text: &str) -> Result<Self, CommunityError> {
        let halves = text.split_once(':');
        match halves.map(|(high, low)| (high.parse(), low.parse())) {
            Some((Ok(high), Ok(low))) => Ok(Self::new(high, low)),
            _ => Err(CommunityError(text.chars().take(32).collect())),
        }
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> 16, self.0 & 0xFFFF)
    }
}

impl Serialize for Community {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graceful_shutdown_is_written_as_operators_write_it() {
        assert_eq!(Community::GRACEFUL_SHUTDOWN.to_string(), "65535:0");
        assert_eq!(
            "65535:0".parse::<Community>().unwrap(),
            Community::GRACEFUL_SHUTDOWN
        );
    }

    #[test]
    fn a_half_beyond_16_bits_is_refused() {
        for text in ["65536:0", "1:65536", "1", "1:2:3", "a:b", ""] {
            assert!(text.parse::<Community>().is_err(), "{text}");
        }
    }
}
