//! One BFD session without sockets and without a clock: packets and times go in, packets and
//! deadlines come out.

mod jitter;

use std::num::NonZeroU8;
use std::time::{Duration, Instant};

use super::packet::{Discriminator, Packet};
use super::{BfdDiagnostic, BfdState};
use crate::BfdConfig;
use jitter::Jitter;

/// RFC 5880 section 6.8.3: no faster than this while the session is not up.
const SLOW: Duration = Duration::from_secs(1);

/// From one packet to the next that only tells of a change. RFC 5880 section 6.8.7 lets it go out
/// between the others; on a link that delays and doubles packets, two sides that answer each
/// change at once would drown it.
const GAP: Duration = Duration::from_millis(20);

/// A session (the variables of RFC 5880 section 6.8.1). Whoever owns it calls
/// [`Engine::receive`] and, at [`Engine::deadline`], [`Engine::tick`], and sends after each what
/// [`Engine::transmit`] gives, until that is nothing.
#[derive(Debug)]
pub(super) struct Engine {
    interval: Duration,
    multiplier: NonZeroU8,
    my: Discriminator,
    your: Option<Discriminator>,
    state: BfdState,
    diagnostic: BfdDiagnostic,
    remote: Remote,
    /// We ask, until a Final comes.
    polling: bool,
    /// The peer asks, for all that is known.
    asking: bool,
    /// The peer asks: a Final is due.
    asked: bool,
    /// What we say has changed since we said it.
    changed: bool,
    sent_at: Option<Instant>,
    due: Option<Instant>,
    /// The interval that `due` comes from.
    due_after: Option<Duration>,
    expires: Option<Instant>,
    /// The detection time that the last packet was given.
    patience: Duration,
    /// The least that the next one is given.
    borne: Duration,
    jitter: Jitter,
}

/// What the peer said last.
#[derive(Debug, Clone, Copy)]
struct Remote {
    state: BfdState,
    diagnostic: BfdDiagnostic,
    multiplier: u8,
    desired_min_tx: Duration,
    required_min_rx: Duration,
}

// === impl Engine ===

impl Engine {
    /// A session that is down; the first packet is due at once.
    pub(super) fn new(now: Instant, config: &BfdConfig, my: Discriminator) -> Self {
        Self {
            interval: config.interval,
            multiplier: NonZeroU8::new(config.multiplier).unwrap_or(NonZeroU8::MIN),
            my,
            your: None,
            state: BfdState::Down,
            diagnostic: BfdDiagnostic::NONE,
            remote: Remote::UNKNOWN,
            polling: false,
            asking: false,
            asked: false,
            changed: false,
            sent_at: None,
            due: Some(now),
            due_after: None,
            expires: None,
            patience: Duration::ZERO,
            borne: Duration::ZERO,
            jitter: Jitter::new(my),
        }
    }

    pub(super) fn state(&self) -> BfdState {
        self.state
    }

    pub(super) fn diagnostic(&self) -> BfdDiagnostic {
        self.diagnostic
    }

    pub(super) fn remote_state(&self) -> BfdState {
        self.remote.state
    }

    pub(super) fn remote_diagnostic(&self) -> BfdDiagnostic {
        self.remote.diagnostic
    }

    /// How often we send, before the jitter (RFC 5880 section 6.8.7); `None` while the peer wants
    /// nothing.
    pub(super) fn transmit_interval(&self) -> Option<Duration> {
        match self.remote.required_min_rx {
            Duration::ZERO => None,
            required => Some(self.desired_min_tx().max(required)),
        }
    }

    /// How long the peer may be silent now; zero while it is silent.
    pub(super) fn detection_time(&self) -> Duration {
        self.patience
    }

    /// The detection time of RFC 5880 section 6.8.4.
    fn agreed(&self) -> Duration {
        let agreed = self.interval.max(self.remote.desired_min_tx);
        agreed * u32::from(self.remote.multiplier)
    }

    /// Takes a packet that is for this session.
    pub(super) fn receive(&mut self, now: Instant, packet: &Packet) {
        if self.state == BfdState::AdminDown {
            return;
        }
        self.your = Some(packet.my);
        self.remote = Remote::from(packet);
        if packet.is_final {
            self.polling = false;
        }
        // A peer that gets faster may still keep to its old rate for a packet, and does while it
        // polls (FRR). What answers our poll meanwhile says nothing of its own one, whose answer
        // may be lost.
        let agreed = self.agreed();
        self.patience = self.borne.max(agreed);
        self.asking = packet.poll || (self.asking && packet.is_final);
        self.borne = if self.asking { self.patience } else { agreed };
        self.expires = Some(now + self.patience);
        match (self.state, packet.state) {
            (BfdState::Down, BfdState::Down) => self.enter(BfdState::Init, BfdDiagnostic::NONE),
            (BfdState::Down, BfdState::Init) | (BfdState::Init, BfdState::Init | BfdState::Up) => {
                self.enter(BfdState::Up, BfdDiagnostic::NONE);
            }
            (BfdState::Up, BfdState::Down)
            | (BfdState::Init | BfdState::Up, BfdState::AdminDown) => {
                self.enter(BfdState::Down, BfdDiagnostic::NEIGHBOR_DOWN);
            }
            _ => {}
        }
        self.asked |= packet.poll;
        self.arm(now);
    }

    /// Does what is due at `now`.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.expires.is_some_and(|at| at <= now) {
            self.expires = None;
            self.your = None;
            self.remote = Remote::UNKNOWN;
            (self.patience, self.borne) = (Duration::ZERO, Duration::ZERO);
            self.asking = false;
            if matches!(self.state, BfdState::Init | BfdState::Up) {
                self.enter(BfdState::Down, BfdDiagnostic::EXPIRED);
            }
            self.arm(now);
        }
    }

    /// When [`Engine::tick`] and [`Engine::transmit`] are to be called next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let news = self.sent_at.filter(|_| self.changed).map(|at| at + GAP);
        let all = [self.expires, self.due, news];
        all.into_iter().flatten().min()
    }

    /// A packet to send now, if one is due.
    pub(super) fn transmit(&mut self, now: Instant) -> Option<Packet> {
        if std::mem::take(&mut self.asked) {
            // Whatever the timer says; it goes on.
            return Some(self.packet(false, true));
        }
        let due = self.due.is_some_and(|at| at <= now);
        let news = self.changed && self.sent_at.is_none_or(|at| at + GAP <= now);
        if !due && !news {
            return None;
        }
        self.changed = false;
        self.sent_at = Some(now);
        self.due_after = None;
        self.arm(now);
        Some(self.packet(self.polling, false))
    }

    /// Tells the peer that the operator does not want the session (RFC 5880 section 6.8.16), for
    /// as long as packets are sent, until [`Engine::enable`].
    pub(super) fn disable(&mut self, now: Instant) {
        self.expires = None;
        self.enter(BfdState::AdminDown, BfdDiagnostic::ADMIN_DOWN);
        self.arm(now);
    }

    /// Begins anew after [`Engine::disable`].
    pub(super) fn enable(&mut self, now: Instant) {
        if self.state == BfdState::AdminDown {
            self.your = None;
            self.remote = Remote::UNKNOWN;
            self.enter(BfdState::Down, BfdDiagnostic::NONE);
            self.arm(now);
        }
    }

    fn enter(&mut self, state: BfdState, diagnostic: BfdDiagnostic) {
        self.changed |= (self.state, self.diagnostic) != (state, diagnostic);
        let before = self.desired_min_tx();
        self.state = state;
        // RFC 5880 section 6.8.3: new parameters of a session that is up are told by a poll.
        // Until its answer the faster rate is ours already, as it may be.
        self.polling = state == BfdState::Up && self.desired_min_tx() != before;
        self.diagnostic = diagnostic;
    }

    fn desired_min_tx(&self) -> Duration {
        match self.state {
            BfdState::Up => self.interval,
            _ => self.interval.max(SLOW),
        }
    }

    /// Sets the time of the next packet, if the interval is another than it was.
    fn arm(&mut self, now: Instant) {
        let interval = self.transmit_interval();
        if interval == self.due_after && self.sent_at.is_some() {
            return;
        }
        self.due_after = interval;
        let since = self.sent_at.unwrap_or(now);
        let last = self.multiplier == NonZeroU8::MIN;
        let jitter = &mut self.jitter;
        self.due = interval.map(|interval| (since + jitter.apply(interval, last)).max(now));
    }

    fn packet(&self, poll: bool, is_final: bool) -> Packet {
        Packet {
            diagnostic: self.diagnostic,
            state: self.state,
            poll,
            is_final,
            multiplier: self.multiplier,
            my: self.my,
            your: self.your,
            desired_min_tx: self.desired_min_tx(),
            required_min_rx: self.interval,
        }
    }
}

// === impl Remote ===

impl Remote {
    /// The initial values of RFC 5880 section 6.8.1.
    const UNKNOWN: Self = Self {
        state: BfdState::Down,
        diagnostic: BfdDiagnostic::NONE,
        multiplier: 0,
        desired_min_tx: Duration::ZERO,
        required_min_rx: Duration::from_micros(1),
    };
}

impl From<&Packet> for Remote {
    fn from(packet: &Packet) -> Self {
        Self {
            state: packet.state,
            diagnostic: packet.diagnostic,
            multiplier: packet.multiplier.get(),
            desired_min_tx: packet.desired_min_tx,
            required_min_rx: packet.required_min_rx,
        }
    }
}

#[cfg(test)]
mod tests;
