//! The session itself.

mod end;
mod reason;
mod receive;
mod tell;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use ipnet::IpNet;
use rustbgpd_fsm::{Action, Event, NegotiatedSession, Session, SessionState, TimerType};
use rustbgpd_wire::{Message, NotificationCode, NotificationMessage, encode_message};

use super::{Candidates, Table, Terms};
use crate::keeper::Wanted;
use crate::wire::AsPathOf;
use crate::{LOG_LENGTH, LogEvent, PeerCounters, PeerState};

pub(crate) use end::End;

/// How long a peer may take from the TCP connection to its OPEN, and to its first KEEPALIVE when
/// no hold time was negotiated. RFC 4271 section 8.2.2 suggests four minutes for a peer that
/// might be slow; a leaf that is silent for so long is better tried again.
const OPEN_WAIT: Duration = Duration::from_secs(15);

/// Above so many unsent bytes nothing is added but a NOTIFICATION; what is due then is worked out
/// when the peer has read on, from what is wanted at that time.
const OUTBOX_LIMIT: usize = 64 * 1024;

/// One session from the established TCP connection to its end. Whoever owns it moves bytes
/// between it and the connection, calls [`Machine::tick`] at [`Machine::deadline`], and stops
/// when there is an [`Machine::end`], after writing what is left.
#[derive(Debug)]
pub(crate) struct Machine {
    terms: Arc<Terms>,
    fsm: Session,
    candidates: Candidates,
    wanted: Wanted,
    told: Table,
    missing: [Missing; 2],
    refresh: [bool; 2],
    negotiated: Option<Box<NegotiatedSession>>,
    inbox: BytesMut,
    /// Type of the message that is being looked at.
    kind: u8,
    /// Whether a message came after those that establish the session.
    went_on: bool,
    /// Whether the peer acknowledges nothing of what we send now.
    unacknowledged: bool,
    outbox: BytesMut,
    hold: Option<Instant>,
    keepalive: Option<Instant>,
    stalled: Option<Instant>,
    stopping: bool,
    cause: Option<String>,
    end: Option<End>,
    counters: PeerCounters,
    events: Vec<LogEvent>,
    /// The OPENs of both sides, ours first.
    opens: [Bytes; 2],
    version: u64,
}

/// Why a family is kept from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    Family,
    NextHop,
}

// === impl Machine ===

impl Machine {
    /// A session over a TCP connection that was just established: OPEN is in the outbox.
    pub(crate) fn connected(
        now: Instant,
        terms: Arc<Terms>,
        candidates: Candidates,
        wanted: Wanted,
    ) -> Self {
        let mut machine = Self {
            fsm: Session::new(terms.for_machine()),
            terms,
            candidates,
            wanted,
            told: Table::new(),
            missing: [Missing::Nothing; 2],
            refresh: [false; 2],
            negotiated: None,
            inbox: BytesMut::new(),
            kind: 0,
            went_on: false,
            unacknowledged: false,
            outbox: BytesMut::new(),
            hold: None,
            keepalive: None,
            stalled: None,
            stopping: false,
            cause: None,
            end: None,
            counters: PeerCounters::default(),
            events: Vec::new(),
            opens: [Bytes::new(), Bytes::new()],
            version: 0,
        };
        machine.feed(now, Event::ManualStart);
        machine.feed(now, Event::TcpConnectionConfirmed);
        machine
    }

    /// Replaces what the peer should know.
    pub(crate) fn set_wanted(&mut self, now: Instant, wanted: Wanted) {
        self.wanted = wanted;
        self.sync(now);
    }

    /// Replaces the addresses that may be next hops.
    pub(crate) fn set_candidates(&mut self, now: Instant, candidates: Candidates) {
        self.candidates = candidates;
        self.sync(now);
    }

    /// Goes on under other terms, which the present ones survive.
    pub(crate) fn set_terms(&mut self, now: Instant, terms: Arc<Terms>) {
        self.terms = terms;
        self.sync(now);
    }

    /// Does what is due at `now`.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.stalled.is_some_and(|at| at <= now) {
            self.stalled = None;
            self.cause = Some(self.stall_reason());
            let code = NotificationCode::SendHoldTimerExpired;
            let answer = NotificationMessage::new(code, 0, Bytes::new());
            self.feed(now, Event::UpdateValidationError(answer));
        } else if self.hold.is_some_and(|at| at <= now) {
            self.hold = None;
            self.cause = Some(self.hold_reason());
            self.feed(now, Event::HoldTimerExpires);
        } else if self.keepalive.is_some_and(|at| at <= now) {
            self.keepalive = None;
            self.feed(now, Event::KeepaliveTimerExpires);
        }
    }

    /// Whether what was sent is not acknowledged, as far as the transport knows.
    pub(crate) fn set_unacknowledged(&mut self, unacknowledged: bool) {
        self.unacknowledged = unacknowledged;
    }

    /// When [`Machine::tick`] is to be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let timers = [self.hold, self.keepalive, self.stalled];
        timers.into_iter().flatten().min()
    }

    /// Bytes for the peer.
    pub(crate) fn outbox(&self) -> &[u8] {
        &self.outbox
    }

    /// The first `count` bytes of the outbox are on their way.
    pub(crate) fn sent(&mut self, now: Instant, count: usize) {
        self.outbox.advance(count);
        // After the end nothing is due any more: the owner bounds how long the rest may take.
        let waits = self.end.is_none() && !self.outbox.is_empty();
        self.stalled = waits.then(|| now + self.terms.send_hold());
        if self.outbox.is_empty() {
            self.sync(now);
        }
    }

    /// How the session ended, if it has.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    pub(crate) fn state(&self) -> PeerState {
        peer_state(self.fsm.state())
    }

    /// Changes whenever something but the counters does.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// What was counted since the last time.
    pub(crate) fn take_counters(&mut self) -> PeerCounters {
        std::mem::take(&mut self.counters)
    }

    /// What happened since the last time.
    pub(crate) fn take_events(&mut self) -> Vec<LogEvent> {
        std::mem::take(&mut self.events)
    }

    fn note(&mut self, event: LogEvent) {
        if self.events.len() < LOG_LENGTH {
            self.events.push(event);
        }
    }

    /// Our end of the connection.
    pub(crate) fn local_address(&self) -> IpAddr {
        self.candidates.local
    }

    /// Our BGP identifier and AS number.
    pub(crate) fn identity(&self) -> (Ipv4Addr, u32) {
        (self.terms.router_id, self.terms.asn.get())
    }

    /// What both sides agreed on, once both OPENs are exchanged.
    pub(crate) fn negotiated(&self) -> Option<&NegotiatedSession> {
        self.fsm.negotiated()
    }

    /// The OPENs of both sides, ours first; empty until they are exchanged.
    pub(crate) fn opens(&self) -> &[Bytes; 2] {
        &self.opens
    }

    /// How the AS_PATH looks to this peer.
    pub(crate) fn as_path(&self) -> AsPathOf {
        let negotiated = self.negotiated.as_deref();
        AsPathOf {
            asn: self.terms.asn,
            internal: self.terms.internal(),
            four_octet: negotiated.is_some_and(|of| of.four_octet_as),
        }
    }

    /// What the peer knows from us.
    pub(crate) fn told(&self) -> &Table {
        &self.told
    }

    /// The prefixes of that.
    pub(crate) fn announced(&self) -> impl Iterator<Item = IpNet> {
        self.told.keys().copied()
    }

    /// Whether other candidates for next hops would change something.
    pub(crate) fn lacks_next_hop(&self) -> bool {
        self.missing.contains(&Missing::NextHop)
    }

    /// Lets the state machine see `event` and does what it says.
    fn feed(&mut self, now: Instant, event: Event) {
        if self.end.is_some() {
            return;
        }
        let before = self.fsm.state();
        for action in self.fsm.handle_event(event) {
            self.act(now, before, action);
        }
        // A session is never used again: what RFC 4271 calls Idle or Active after an OPEN was
        // sent is its end, and the next connection gets a new one.
        if matches!(before, SessionState::Idle | SessionState::Connect) {
            return;
        }
        if matches!(self.fsm.state(), SessionState::Idle | SessionState::Active) {
            if before == SessionState::Established && !self.stopping {
                self.counters.flaps += 1;
            }
            self.told.clear();
            self.missing = [Missing::Nothing; 2];
            self.negotiated = None;
            (self.hold, self.keepalive, self.stalled) = (None, None, None);
            self.version += 1;
            self.end = Some(match self.stopping {
                true => End::Stopped,
                false => End::Lost(self.cause.take().unwrap_or_else(reason::unknown)),
            });
        }
    }

    fn act(&mut self, now: Instant, before: SessionState, action: Action) {
        match action {
            Action::SendOpen(open) => {
                let message = Message::Open(open);
                self.opens[0] = encoded(&message);
                self.push(now, &message);
            }
            // What waits already tells the peer that we live, as soon as it reads.
            Action::SendKeepalive if self.outbox.len() > OUTBOX_LIMIT => {}
            Action::SendKeepalive => self.push(now, &Message::Keepalive),
            Action::SendNotification(notification) => self.notify(now, before, notification),
            Action::StartTimer(TimerType::Hold, seconds) => {
                let waits_for_open = self.fsm.state() == SessionState::OpenSent;
                let seconds = Duration::from_secs(seconds.into());
                self.hold = Some(now + if waits_for_open { OPEN_WAIT } else { seconds });
            }
            Action::StartTimer(TimerType::Keepalive, seconds) => {
                self.keepalive = Some(now + Duration::from_secs(seconds.into()));
            }
            Action::StopTimer(TimerType::Hold) => {
                // Without a hold time the state machine would wait for ever here.
                let confirms = self.fsm.state() == SessionState::OpenConfirm;
                self.hold = confirms.then(|| now + OPEN_WAIT);
            }
            Action::StopTimer(TimerType::Keepalive) => self.keepalive = None,
            Action::StateChanged { old, new } => {
                self.version += 1;
                let (before, state) = (peer_state(old), peer_state(new));
                // Where a session begins and ends its owner tells.
                use PeerState::{Established, OpenConfirm, OpenSent};
                if matches!(state, OpenSent | OpenConfirm | Established) {
                    self.note(LogEvent::State { before, state });
                }
            }
            Action::SessionEstablished(negotiated) => {
                if negotiated.hold_time == 0 {
                    self.hold = None;
                }
                self.negotiated = Some(negotiated);
                self.counters.established += 1;
                self.sync(now);
            }
            // Connecting, closing and the wait between connections are the owner's.
            _ => {}
        }
    }

    fn push(&mut self, now: Instant, message: &Message) {
        self.outbox.extend_from_slice(&encoded(message));
        self.watch_outbox(now);
    }

    fn watch_outbox(&mut self, now: Instant) {
        if !self.outbox.is_empty() && self.stalled.is_none() {
            self.stalled = Some(now + self.terms.send_hold());
        }
    }
}

fn encoded(message: &Message) -> Bytes {
    encode_message(message)
        .expect("our own messages are well below 4096 bytes")
        .into()
}

fn peer_state(state: SessionState) -> PeerState {
    match state {
        SessionState::Idle => PeerState::Idle,
        SessionState::Connect => PeerState::Connect,
        SessionState::Active => PeerState::Active,
        SessionState::OpenSent => PeerState::OpenSent,
        SessionState::OpenConfirm => PeerState::OpenConfirm,
        SessionState::Established => PeerState::Established,
    }
}

#[cfg(test)]
mod tests;
