//! One peer on the board.

use std::time::Instant;

use super::board::PeerId;
use super::{BfdStatus, PeerStatus};
use crate::PeerConfig;

/// The status of one peer, with moments instead of ages.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: PeerId,
    pub(super) status: PeerStatus,
    pub(super) since: Instant,
    pub(super) error_at: Option<Instant>,
    pub(super) bfd_since: Instant,
    /// The last order of the operator (open, close) that this peer has carried out.
    pub(super) carried_out: u64,
}

// === impl Entry ===

impl Entry {
    pub(super) fn new(id: PeerId, peer: &PeerConfig, now: Instant) -> Self {
        let status = PeerStatus::idle(peer.name(), peer.address, peer.port, peer.asn);
        Self {
            id,
            status,
            since: now,
            error_at: None,
            bfd_since: now,
            carried_out: 0,
        }
    }

    pub(super) fn read(&self, now: Instant) -> PeerStatus {
        let age = |at| now.saturating_duration_since(at).as_secs();
        PeerStatus {
            since_seconds: age(self.since),
            last_error_seconds: self.error_at.map(age),
            bfd: self.status.bfd.clone().map(|status| BfdStatus {
                since_seconds: age(self.bfd_since),
                ..status
            }),
            ..self.status.clone()
        }
    }
}
