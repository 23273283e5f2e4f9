//! How far away a peer may be.

/// How many routers may stand between this node and a peer, and what keeps others away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ttl {
    /// On the same link: an external peer is sent packets with a TTL of 1 (RFC 4271 section 9
    /// leaves it open; every router does it), an internal one with the kernel's.
    #[default]
    Direct,
    /// So many hops away at the most, 1 to 255: the TTL of what is sent.
    Multihop(u8),
    /// The generalized TTL security mechanism (RFC 5082): sends with a TTL of 255 and ignores
    /// what has passed more routers than a peer so many hops away needs. The peer must do the
    /// same.
    Security {
        /// 1 for a peer on the same link, at most 254.
        hops: u8,
    },
}

// === impl Ttl ===

impl Ttl {
    /// What is sent, if not the kernel's default.
    pub(crate) fn sent(self, internal: bool) -> Option<u8> {
        match self {
            Self::Direct if internal => None,
            Self::Direct => Some(1),
            Self::Multihop(hops) => Some(hops),
            Self::Security { .. } => Some(u8::MAX),
        }
    }

    /// The least that is accepted, if there is one.
    pub(crate) fn accepted(self) -> Option<u8> {
        match self {
            Self::Direct | Self::Multihop(_) => None,
            Self::Security { hops } => Some(u8::MAX - (hops - 1)),
        }
    }

    pub(super) fn is_valid(self) -> bool {
        match self {
            Self::Direct => true,
            Self::Multihop(hops) => hops > 0,
            Self::Security { hops } => (1..u8::MAX).contains(&hops),
        }
    }
}
