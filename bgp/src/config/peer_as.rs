//! Which AS a peer may be in.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Asn;

/// The AS that a peer must give in its OPEN (RFC 4271 section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerAs {
    /// This one. If it is the speaker's own, the peer is internal (iBGP).
    Exactly(Asn),
    /// Any but the speaker's own, so that one configuration fits leaves that each have their own
    /// AS. Such a peer is always external.
    External,
}

// === impl PeerAs ===

impl PeerAs {
    /// Whether a peer in this AS is an internal one of a speaker in `own`.
    pub fn is_internal(self, own: Asn) -> bool {
        self == Self::Exactly(own)
    }
}

impl From<Asn> for PeerAs {
    fn from(asn: Asn) -> Self {
        Self::Exactly(asn)
    }
}

/// The number, or `external`.
impl fmt::Display for PeerAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(asn) => asn.fmt(f),
            Self::External => f.pad("external"),
        }
    }
}

/// The number as a number, or the text `external`.
impl Serialize for PeerAs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exactly(asn) => asn.serialize(serializer),
            Self::External => serializer.serialize_str("external"),
        }
    }
}
