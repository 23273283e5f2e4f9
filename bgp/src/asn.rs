//! Autonomous system numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::AsnError;

/// A four-octet autonomous system number (RFC 6793) that a speaker may use: never 0 (RFC 7607),
/// 23456 (AS_TRANS, RFC 6793), 65535 or 4294967295 (RFC 7300).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Asn(u32);

// === impl Asn ===

impl Asn {
    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Asn {
    type Error = AsnError;

    fn try_from(number: u32) -> Result<Self, AsnError> {
        match number {
            0 | 23_456 | 65_535 | u32::MAX => Err(AsnError::Reserved(number)),
            _ => Ok(Self(number)),
        }
    }
}

impl From<Asn> for u32 {
    fn from(asn: Asn) -> u32 {
        asn.0
    }
}

/// Reads the plain decimal notation (asplain, RFC 5396).
impl FromStr for Asn {
    type Err = AsnError;

    fn from_str(text: &str) -> Result<Self, AsnError> {
        text.parse::<u32>()
            .map_err(|_| AsnError::Syntax(text.chars().take(32).collect()))?
            .try_into()
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_number_is_refused_by_name() {
        for number in [0, 23_456, 65_535, u32::MAX] {
            let error = Asn::try_from(number).unwrap_err();
            assert_eq!(error, AsnError::Reserved(number));
            assert!(error.to_string().contains(&number.to_string()), "{error}");
        }
    }

    #[test]
    fn a_private_four_octet_number_is_read_and_written_as_plain_decimal() {
        let asn: Asn = "4200000001".parse().unwrap();
        assert_eq!(asn.get(), 4_200_000_001);
        assert_eq!(asn.to_string(), "4200000001");
        assert!(matches!("64000.1".parse::<Asn>(), Err(AsnError::Syntax(_))));
    }
}
