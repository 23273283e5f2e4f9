//! One peer on the board.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::board::PeerId;
use super::log::Log;
use super::{AnnouncedRoute, BfdStatus, PeerLog, PeerRoutes, PeerState, PeerStatus};
use crate::bmp::Monitored;
use crate::session::Table;
use crate::wire::AsPathOf;
use crate::{Asn, PeerConfig};

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
    /// What the peer knows from us.
    pub(super) told: Table,
    /// How often that has changed.
    pub(super) tellings: u64,
    pub(super) log: Log,
    /// The established session, for stations.
    pub(super) opened: Option<Opened>,
}

/// What is said of a session when it is established.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) opens: [Bytes; 2],
    pub(crate) path: AsPathOf,
}

/// Which session it is, and what has happened on it: the same as long as nothing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) session: u64,
    /// How often the peer asked for its routes again.
    pub(crate) refreshes: u64,
    pub(crate) tellings: u64,
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
            told: Table::new(),
            tellings: 0,
            log: Log::default(),
            opened: None,
        }
    }

    /// Changes the status.
    pub(super) fn update(&mut self, now: Instant, change: impl FnOnce(&mut PeerStatus)) {
        let before = self.status.state;
        change(&mut self.status);
        if self.status.state != before {
            self.since = now;
        }
    }

    pub(super) fn routes(&self, own: Asn) -> PeerRoutes {
        let internal = self.status.asn.is_internal(own);
        let told = self.told.iter();
        let routes = told.map(|(prefix, route)| AnnouncedRoute::new(*prefix, route, own, internal));
        PeerRoutes {
            name: self.status.name.clone(),
            routes: routes.collect(),
        }
    }

    /// None while there is no established session.
    pub(super) fn version(&self) -> Option<Version> {
        let counters = &self.status.counters;
        (self.status.state == PeerState::Established).then_some(Version {
            session: counters.established,
            refreshes: counters.refreshes_received,
            tellings: self.tellings,
        })
    }

    /// The session, while it is established.
    pub(super) fn monitored(&self) -> Option<Monitored> {
        if self.status.state != PeerState::Established {
            return None;
        }
        let opened = self.opened.as_ref()?;
        let [sent_open, received_open] = opened.opens.clone();
        Some(Monitored {
            session: (self.id.0, self.status.counters.established),
            local: opened.local,
            remote: opened.remote,
            asn: self.status.remote_asn?,
            router_id: self.status.router_id?,
            sent_open,
            received_open,
            path: opened.path,
            told: self.told.clone(),
        })
    }

    pub(super) fn log(&self, now: Instant) -> PeerLog {
        PeerLog {
            name: self.status.name.clone(),
            entries: self.log.read(now),
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
