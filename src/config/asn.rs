use std::{fmt, str::FromStr};

use serde::Serialize;

/// An autonomous system number of four bytes (RFC 6793), never one of those
/// that no speaker may use: 0 (RFC 7607), 23456 (AS_TRANS, RFC 6793), 65535 and
/// 4294967295 (RFC 7300).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Asn(u32);

/// Why a number is no [`Asn`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsnError {
    /// Neither a plain number nor `HIGH.LOW`.
    #[error("expected an AS number like 4200000001 or 64086.59905")]
    Syntax,
    /// A number that no speaker may use as its own or expect of a peer.
    #[error("AS {0} is reserved ({1})")]
    Reserved(u32, &'static str),
}

// === impl Asn ===

impl Asn {
    /// Refuses the reserved numbers.
    pub fn new(number: u32) -> Result<Self, AsnError> {
        match number {
            0 => Err(AsnError::Reserved(0, "RFC 7607")),
            23456 => Err(AsnError::Reserved(23456, "AS_TRANS, RFC 6793")),
            65535 | u32::MAX => Err(AsnError::Reserved(number, "RFC 7300")),
            _ => Ok(Self(number)),
        }
    }

    /// The number as BGP carries it.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl From<Asn> for u32 {
    fn from(asn: Asn) -> u32 {
        asn.0
    }
}

/// asplain (`4200000001`) or asdot (`64086.59905`), RFC 5396.
impl FromStr for Asn {
    type Err = AsnError;

    fn from_str(text: &str) -> Result<Self, AsnError> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = match text.split_once('.') {
            Some((high, low)) if digits(high) && digits(low) => {
                let high: u16 = high.parse().map_err(|_| AsnError::Syntax)?;
                let low: u16 = low.parse().map_err(|_| AsnError::Syntax)?;
                u32::from(high) << 16 | u32::from(low)
            }
            None if digits(text) => text.parse().map_err(|_| AsnError::Syntax)?,
            _ => return Err(AsnError::Syntax),
        };
        Self::new(number)
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asplain_and_asdot_name_the_same_number() {
        let plain: Asn = "4200000001".parse().unwrap();
        let dot: Asn = "64086.59905".parse().unwrap();
        assert_eq!(plain, dot);
        assert_eq!(dot.to_string(), "4200000001");
    }

    #[test]
    fn numbers_that_no_speaker_may_use_are_refused() {
        for text in ["0", "23456", "65535", "4294967295", "0.0", "0.23456"] {
            assert!(
                matches!(text.parse::<Asn>(), Err(AsnError::Reserved(..))),
                "{text}"
            );
        }
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "65536.1",
            "1.65536",
            "4294967296",
            "+1",
            "-1",
            "AS1",
            "1.2.3",
        ] {
            assert_eq!(text.parse::<Asn>(), Err(AsnError::Syntax), "{text}");
        }
    }
}
