//! Where the tasks write and the status is read.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::entry::{Entry, Opened, Version};
use super::{
    AnnouncementState, BfdStatus, ForwardingStatus, LogEvent, PeerCounters, PeerLog, PeerRoutes,
    PeerStatus, SpeakerStatus,
};
use crate::bmp::Monitored;
use crate::plan::Plan;
use crate::session::Table;
use crate::{Announcement, BfdState, PeerConfig, SpeakerConfig};

/// One peer of one speaker; never used again, not even when the same peer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerId(pub(crate) u64);

/// The one place that knows what the status is. Cheap to clone; every method is short and never
/// waits for I/O. What is written about a peer that is no longer configured is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sheet: Mutex<Sheet>,
    ticks: watch::Sender<u64>,
}

#[derive(Debug)]
struct Sheet {
    /// Without its peers.
    speaker: SpeakerStatus,
    valid_until: Option<Instant>,
    /// In the order of the configuration.
    entries: Vec<Entry>,
}

// === impl Board ===

impl Board {
    /// A board without peers; [`Board::arrange`] brings them.
    pub(crate) fn new(config: &SpeakerConfig) -> Self {
        let speaker = SpeakerStatus {
            asn: config.asn,
            router_id: config.router_id,
            running: true,
            open: true,
            state: AnnouncementState::Withdrawn,
            announcement: None,
            valid_for_ms: None,
            expirations: 0,
            refused: 0,
            peers: Vec::new(),
            daemon: None,
        };
        Self(Arc::new(Shared {
            sheet: Mutex::new(Sheet {
                speaker,
                valid_until: None,
                entries: Vec::new(),
            }),
            ticks: watch::Sender::new(0),
        }))
    }

    /// Shows the peers of `plan`, in this order, and no others.
    pub(crate) fn arrange(&self, now: Instant, plan: &Plan) {
        {
            let mut sheet = self.sheet();
            let Plan { config, ids, .. } = plan;
            sheet.speaker.asn = config.asn;
            sheet.speaker.router_id = config.router_id;
            let mut before = std::mem::take(&mut sheet.entries);
            sheet.entries = ids
                .iter()
                .zip(&config.peers)
                .map(|(id, peer)| Self::entry(&mut before, now, *id, peer))
                .collect();
        }
        self.tick();
    }

    fn entry(before: &mut Vec<Entry>, now: Instant, id: PeerId, peer: &PeerConfig) -> Entry {
        match before.iter().position(|entry| entry.id == id) {
            Some(position) => {
                let mut entry = before.swap_remove(position);
                entry.status.asn = peer.asn;
                entry
            }
            None => Entry::new(id, peer, now),
        }
    }

    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        // A panic while the lock is held leaves a status that is at worst half new.
        self.0.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        self.0
            .ticks
            .send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.ticks.subscribe()
    }

    /// The status as of `now`.
    pub(crate) fn read(&self, now: Instant) -> SpeakerStatus {
        let sheet = self.sheet();
        let mut status = sheet.speaker.clone();
        status.valid_for_ms = sheet.valid_until.map(|until| {
            let left = until.saturating_duration_since(now).as_millis();
            u64::try_from(left).unwrap_or(u64::MAX)
        });
        status.peers = sheet.entries.iter().map(|entry| entry.read(now)).collect();
        status
    }

    /// What every peer was told.
    pub(crate) fn routes(&self) -> Vec<PeerRoutes> {
        let sheet = self.sheet();
        let own = sheet.speaker.asn;
        sheet
            .entries
            .iter()
            .map(|entry| entry.routes(own))
            .collect()
    }

    /// Every established session, for stations.
    pub(crate) fn monitored(&self) -> Vec<Monitored> {
        let sheet = self.sheet();
        sheet.entries.iter().filter_map(Entry::monitored).collect()
    }

    /// What is said of one peer's session when it is established; without a tick, as
    /// [`Board::update`] follows.
    pub(crate) fn opened(&self, peer: PeerId, opened: Opened) {
        self.change(peer, |entry| entry.opened = Some(opened));
    }

    /// What happened with every peer lately.
    pub(crate) fn logs(&self, now: Instant) -> Vec<PeerLog> {
        let sheet = self.sheet();
        sheet.entries.iter().map(|entry| entry.log(now)).collect()
    }

    /// Whether something is announced, and if not, why.
    pub(crate) fn announcement_state(&self) -> AnnouncementState {
        self.sheet().speaker.state
    }

    pub(crate) fn set_open(&self, open: bool) {
        self.sheet().speaker.open = open;
        self.tick();
    }

    /// A connection was accepted and closed, because it came from nobody's address. No tick.
    pub(crate) fn refused(&self) {
        self.sheet().speaker.refused += 1;
    }

    /// What is announced from now on; a renewal moves the end without a tick.
    pub(crate) fn set_announcement(
        &self,
        state: AnnouncementState,
        announcement: Option<(&Announcement, Instant)>,
    ) {
        {
            let mut sheet = self.sheet();
            sheet.valid_until = announcement.map(|(_, until)| until);
            let announcement = announcement.map(|(announcement, _)| announcement);
            if sheet.speaker.state == state && sheet.speaker.announcement.as_ref() == announcement {
                return;
            }
            sheet.speaker.state = state;
            sheet.speaker.announcement = announcement.cloned();
            if state == AnnouncementState::Expired {
                sheet.speaker.expirations += 1;
            }
        }
        self.tick();
    }

    /// Changes one peer's entry and ticks.
    pub(crate) fn update(&self, peer: PeerId, now: Instant, change: impl FnOnce(&mut PeerStatus)) {
        self.change(peer, |entry| entry.update(now, change));
        self.tick();
    }

    /// Replaces what one peer knows from us; without a tick, as [`Board::update`] follows.
    pub(crate) fn told(&self, peer: PeerId, told: &Table) {
        self.change(peer, |entry| {
            if entry.told != *told {
                entry.told.clone_from(told);
                entry.tellings += 1;
            }
        });
    }

    /// Notes what happened with one peer, without a tick.
    pub(crate) fn log(&self, peer: PeerId, now: Instant, events: Vec<LogEvent>) {
        self.change(peer, |entry| {
            for event in events {
                entry.log.push(now, event);
            }
        });
    }

    /// Adds to one peer's counters, without a tick: a flood of routes must not wake readers. But
    /// that the peer asks for ours is worth one.
    pub(crate) fn count(&self, peer: PeerId, more: &PeerCounters) {
        if *more != PeerCounters::default() {
            self.change(peer, |entry| entry.status.counters.add(more));
        }
        if more.refreshes_received > 0 {
            self.tick();
        }
    }

    /// Adds one to one of a peer's counters and ticks.
    pub(crate) fn count_one(&self, peer: PeerId, of: fn(&mut PeerCounters) -> &mut u64) {
        self.change(peer, |entry| *of(&mut entry.status.counters) += 1);
        self.tick();
    }

    /// Whether `sentence` differs from the last error of one peer.
    pub(crate) fn is_news(&self, peer: PeerId, sentence: &str) -> bool {
        let sheet = self.sheet();
        let entry = sheet.entries.iter().find(|entry| entry.id == peer);
        entry.is_some_and(|entry| entry.status.last_error.as_deref() != Some(sentence))
    }

    /// Notes why a session or a connection attempt ended.
    pub(crate) fn fail(&self, peer: PeerId, now: Instant, sentence: String) {
        self.change(peer, |entry| entry.error_at = Some(now));
        self.update(peer, now, |status| status.last_error = Some(sentence));
    }

    /// Notes that `peer` has carried out the operator's order number `order`.
    pub(crate) fn carried_out(&self, peer: PeerId, order: u64) {
        self.change(peer, |entry| entry.carried_out = order);
        self.tick();
    }

    /// Notes that the speaker's thread has ended: no order is outstanding any more.
    pub(crate) fn nothing_runs(&self) {
        {
            let mut sheet = self.sheet();
            sheet.speaker.running = false;
            for entry in &mut sheet.entries {
                entry.carried_out = u64::MAX;
            }
        }
        self.tick();
    }

    /// Whether every peer has carried out order number `order`.
    pub(crate) fn all_carried_out(&self, order: u64) -> bool {
        let sheet = self.sheet();
        sheet.entries.iter().all(|entry| entry.carried_out >= order)
    }

    /// Changes the status of one peer's BFD session, and ticks if that made a difference.
    pub(crate) fn show_bfd(&self, peer: PeerId, now: Instant, change: impl FnOnce(&mut BfdStatus)) {
        let mut differs = false;
        self.change(peer, |entry| {
            let mut new = entry.status.bfd.clone().unwrap_or_default();
            change(&mut new);
            let old = entry.status.bfd.as_ref();
            if old.is_none_or(|old| old.state != new.state) {
                entry.bfd_since = now;
            }
            differs = old != Some(&new);
            entry.status.bfd = Some(new);
        });
        if differs {
            self.tick();
        }
    }

    /// Counts something of a peer's BFD session, without a tick.
    pub(crate) fn count_bfd(&self, peer: PeerId, count: impl FnOnce(&mut BfdStatus)) {
        self.change(peer, |entry| {
            if let Some(status) = &mut entry.status.bfd {
                count(status);
            }
        });
    }

    /// The state of one peer's BFD session as it is shown.
    pub(crate) fn bfd_state(&self, peer: PeerId) -> Option<BfdState> {
        let sheet = self.sheet();
        let entry = sheet.entries.iter().find(|entry| entry.id == peer)?;
        entry.status.bfd.as_ref().map(|status| status.state)
    }

    /// One peer has no BFD session any more.
    pub(crate) fn forget_bfd(&self, peer: PeerId) {
        self.change(peer, |entry| entry.status.bfd = None);
        self.tick();
    }

    /// What has happened on one peer's session, while that is established.
    pub(crate) fn version(&self, peer: PeerId) -> Option<Version> {
        let sheet = self.sheet();
        let entry = sheet.entries.iter().find(|entry| entry.id == peer)?;
        entry.version()
    }

    /// Both ends of one peer's session, and what was told on it. Linear in the latter.
    pub(crate) fn session(&self, peer: PeerId) -> Option<(SocketAddr, SocketAddr, Table)> {
        let sheet = self.sheet();
        let entry = sheet.entries.iter().find(|entry| entry.id == peer)?;
        let opened = entry.opened.as_ref()?;
        Some((opened.local, opened.remote, entry.told.clone()))
    }

    /// Shows whether one peer sends here what it was told, and ticks if that made a difference.
    /// What was shown before.
    pub(crate) fn show_forwarding(
        &self,
        peer: PeerId,
        new: Option<ForwardingStatus>,
    ) -> Option<ForwardingStatus> {
        let mut before = None;
        let mut differs = false;
        self.change(peer, |entry| {
            differs = entry.status.forwarding != new;
            before = std::mem::replace(&mut entry.status.forwarding, new);
        });
        if differs {
            self.tick();
        }
        before
    }

    fn change(&self, peer: PeerId, change: impl FnOnce(&mut Entry)) {
        let mut sheet = self.sheet();
        if let Some(entry) = sheet.entries.iter_mut().find(|entry| entry.id == peer) {
            change(entry);
        }
    }
}
