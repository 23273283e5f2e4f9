//! What is known of the neighbour.

use std::net::Ipv6Addr;

use crate::Interface;

/// What is known of the neighbour on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It has this link-local address; the scope is the index of the interface.
    Neighbor { address: Ipv6Addr, scope: u32 },
    /// Nothing, and why, in one sentence.
    Nobody(String),
}

// === impl Sight ===

impl Sight {
    /// Before anybody looked.
    pub(crate) fn unknown(interface: &Interface) -> Self {
        Self::Nobody(format!("looking for a router on {interface}"))
    }
}
