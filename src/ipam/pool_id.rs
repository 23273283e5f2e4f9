use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a pool's name.
const LONGEST: usize = 200;

/// Names a pool in its scope: 1 to 200 of `A-Z a-z 0-9 . _ : -`, with `/` between parts that are
/// not empty, such as `net/internet/203.0.113.128-25` or `vrf`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(Arc<str>);

// === impl PoolId ===

impl PoolId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for PoolId {
    type Error = super::IpamError;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
        let part = |part: &str| !part.is_empty() && part.bytes().all(allowed);
        if name.len() <= LONGEST && name.split('/').all(part) {
            return Ok(Self(name.into()));
        }
        Err(super::IpamError::Invalid(format!(
            "{name:?} cannot name a pool: use 1 to {LONGEST} of A-Z a-z 0-9 . _ : - and / between parts"
        )))
    }
}

impl FromStr for PoolId {
    type Err = super::IpamError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::try_from(name)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PoolId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PoolId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::try_from(name.as_str()).map_err(D::Error::custom)
    }
}
