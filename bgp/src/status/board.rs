//! Where the tasks write and the status is read.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::{AnnouncementState, PeerCounters, PeerState, PeerStatus, SpeakerStatus};
use crate::{Announcement, SpeakerConfig};

/// The one place that knows what the status is. Cheap to clone; every method is short and never
/// waits for I/O.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sheet: Mutex<Sheet>,
    ticks: watch::Sender<u64>,
}

#[derive(Debug)]
struct Sheet {
    speaker: SpeakerStatus,
    valid_until: Option<Instant>,
    entries: Vec<Entry>,
}

/// What [`PeerStatus`] cannot hold: moments instead of ages.
#[derive(Debug)]
struct Entry {
    since: Instant,
    error_at: Option<Instant>,
    /// The last order of the operator (open, close) that this peer has carried out.
    carried_out: u64,
}

// === impl Board ===

impl Board {
    pub(crate) fn new(config: &SpeakerConfig, now: Instant) -> Self {
        let peers = config.peers.iter().map(|peer| PeerStatus {
            address: peer.address,
            port: peer.port,
            asn: peer.asn,
            remote_asn: None,
            state: PeerState::Idle,
            since_seconds: 0,
            local_address: None,
            router_id: None,
            hold_time_seconds: None,
            announced: Vec::new(),
            not_announced: None,
            last_error: None,
            last_error_seconds: None,
            counters: PeerCounters::default(),
        });
        let speaker = SpeakerStatus {
            asn: config.asn,
            router_id: config.router_id,
            running: true,
            open: true,
            state: AnnouncementState::Withdrawn,
            announcement: None,
            valid_for_ms: None,
            expirations: 0,
            peers: peers.collect(),
        };
        let entries = config.peers.iter().map(|_| Entry {
            since: now,
            error_at: None,
            carried_out: 0,
        });
        Self(Arc::new(Shared {
            sheet: Mutex::new(Sheet {
                speaker,
                valid_until: None,
                entries: entries.collect(),
            }),
            ticks: watch::Sender::new(0),
        }))
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
        for (peer, entry) in status.peers.iter_mut().zip(&sheet.entries) {
            peer.since_seconds = now.saturating_duration_since(entry.since).as_secs();
            peer.last_error_seconds = entry
                .error_at
                .map(|at| now.saturating_duration_since(at).as_secs());
        }
        status
    }

    pub(crate) fn set_open(&self, open: bool) {
        self.sheet().speaker.open = open;
        self.tick();
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
    pub(crate) fn update(&self, peer: usize, now: Instant, change: impl FnOnce(&mut PeerStatus)) {
        {
            let mut sheet = self.sheet();
            let Sheet {
                speaker, entries, ..
            } = &mut *sheet;
            let (status, entry) = (&mut speaker.peers[peer], &mut entries[peer]);
            let before = status.state;
            change(status);
            if status.state != before {
                entry.since = now;
            }
        }
        self.tick();
    }

    /// Replaces one peer's counters, without a tick: a flood of routes must not wake readers.
    pub(crate) fn count(&self, peer: usize, counters: PeerCounters) {
        self.sheet().speaker.peers[peer].counters = counters;
    }

    /// One peer's counters.
    pub(crate) fn counters(&self, peer: usize) -> PeerCounters {
        self.sheet().speaker.peers[peer].counters
    }

    /// The local address of one peer's connection.
    pub(crate) fn local_address(&self, peer: usize) -> Option<IpAddr> {
        self.sheet().speaker.peers[peer].local_address
    }

    /// Whether `sentence` differs from the last error of one peer.
    pub(crate) fn is_news(&self, peer: usize, sentence: &str) -> bool {
        let sheet = self.sheet();
        sheet.speaker.peers[peer].last_error.as_deref() != Some(sentence)
    }

    /// Notes why a session or a connection attempt ended.
    pub(crate) fn fail(&self, peer: usize, now: Instant, sentence: String) {
        self.sheet().entries[peer].error_at = Some(now);
        self.update(peer, now, |status| status.last_error = Some(sentence));
    }

    /// Notes that `peer` has carried out the operator's order number `order`.
    pub(crate) fn carried_out(&self, peer: usize, order: u64) {
        self.sheet().entries[peer].carried_out = order;
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
}
