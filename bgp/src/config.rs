//! What a speaker is made from.

mod bfd;
mod interface;
mod peer;
mod peer_as;
mod ttl;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

pub use bfd::BfdConfig;
pub use interface::Interface;
pub use peer::PeerConfig;
pub use peer_as::PeerAs;
pub use ttl::Ttl;

use crate::{Asn, ConfigError};

/// The most peers that one speaker may have.
pub const MAX_PEERS: usize = 64;

/// The most addresses that one speaker may listen on.
pub const MAX_LISTENERS: usize = 8;

/// The most BMP stations that one speaker may have.
pub const MAX_STATIONS: usize = 4;

/// A speaker: who it is, and whom it peers with. Made by [`SpeakerConfig::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpeakerConfig {
    /// Our AS number. A peer with the same one is an internal peer (iBGP).
    pub asn: Asn,
    /// Our BGP identifier (RFC 6286).
    pub router_id: Ipv4Addr,
    /// Where connections from peers are accepted; normally nowhere, as this side connects. Port
    /// 0 is any free one ([`Speaker::listening`](crate::Speaker::listening) tells which).
    pub listen: Vec<SocketAddr>,
    /// BMP stations that are told what our peers are told (RFC 7854, RFC 8671).
    pub stations: Vec<SocketAddr>,
    /// Whether it is looked if every peer on a link sends here what it was told, with some small
    /// packets after every change; see [`ForwardingStatus`](crate::ForwardingStatus). Needs
    /// CAP_NET_RAW. Default: no.
    pub verify_forwarding: bool,
    /// The leaf switches. None is allowed: such a speaker announces to nobody.
    pub peers: Vec<PeerConfig>,
}

// === impl SpeakerConfig ===

impl SpeakerConfig {
    /// A speaker without peers that listens nowhere.
    pub fn new(asn: Asn, router_id: Ipv4Addr) -> Self {
        Self {
            asn,
            router_id,
            listen: Vec::new(),
            stations: Vec::new(),
            verify_forwarding: false,
            peers: Vec::new(),
        }
    }

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
        if self.listen.len() > MAX_LISTENERS {
            return Err(ConfigError::TooManyListeners(self.listen.len()));
        }
        if self.stations.len() > MAX_STATIONS {
            return Err(ConfigError::TooManyStations(self.stations.len()));
        }
        let mut seen = HashMap::new();
        for (position, peer) in self.peers.iter().enumerate() {
            peer.validate(position)?;
            if peer.passive && self.listen.is_empty() {
                return Err(ConfigError::Passive { peer: position });
            }
            if peer.passive && peer.on_link() {
                return Err(ConfigError::PassiveOnLink { peer: position });
            }
            // A connection that was accepted says its address and nothing of the port that the
            // peer listens on.
            let port = if self.listen.is_empty() { peer.port } else { 0 };
            if let Some(first) = seen.insert((peer.name(), port), position) {
                return Err(ConfigError::DuplicatePeer {
                    name: peer.name(),
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
