//! A daemon's neighbours as our status shows peers.

use std::net::IpAddr;

use crate::{Asn, PeerState};

use super::messages::{Peer, PeerState as Known};

/// A neighbour of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Neighbour {
    pub(super) address: IpAddr,
    pub(super) asn: Asn,
    pub(super) state: PeerState,
    pub(super) router_id: Option<std::net::Ipv4Addr>,
}

// === impl Neighbour ===

impl Neighbour {
    /// `None` for one without an address or AS number: it is not configured whole yet.
    pub(super) fn of(peer: Peer) -> Option<Self> {
        let Known {
            neighbor_address,
            peer_asn,
            session_state,
            router_id,
        } = peer.state?;
        Some(Self {
            address: neighbor_address.parse().ok()?,
            asn: Asn::try_from(peer_asn).ok()?,
            state: match session_state {
                2 => PeerState::Connect,
                3 => PeerState::Active,
                4 => PeerState::OpenSent,
                5 => PeerState::OpenConfirm,
                6 => PeerState::Established,
                _ => PeerState::Idle,
            },
            router_id: router_id.parse().ok(),
        })
    }
}
