//! What a speaker is made from.

mod peer;
mod peer_as;

use std::collections::HashMap;
use std::net::Ipv4Addr;

pub use peer::PeerConfig;
pub use peer_as::PeerAs;

use crate::{Asn, ConfigError};

/// The most peers that one speaker may have.
pub const MAX_PEERS: usize = 64;

/// A speaker: who it is, and whom it peers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerConfig {
    /// Our AS number. A peer with the same one is an internal peer (iBGP).
    pub asn: Asn,
    /// Our BGP identifier (RFC 6286).
    pub router_id: Ipv4Addr,
    /// The leaf switches. None is allowed: such a speaker announces to nobody.
    pub peers: Vec<PeerConfig>,
}

// === impl SpeakerConfig ===

impl SpeakerConfig {
    /// Checks everything that can be known before a connection is tried.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let id = self.router_id;
        if id.is_unspecified() || id.is_loopback() || id.is_multicast() || id.is_broadcast() {
            return Err(ConfigError::RouterId(id));
        }
        if self.peers.len() > MAX_PEERS {
            return Err(ConfigError::TooManyPeers(self.peers.len()));
        }
        let mut seen = HashMap::new();
        for (position, peer) in self.peers.iter().enumerate() {
            peer.validate(position)?;
            if let Some(first) = seen.insert((peer.address, peer.port), position) {
                return Err(ConfigError::DuplicatePeer {
                    address: peer.address,
                    first,
                    second: position,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
