//! What a BFD session means to the BGP session with the same peer (RFC 5882 section 4).

use std::time::{Duration, Instant};

use super::BfdState;
use super::engine::Engine;

/// How long a failure keeps the BGP session from being tried. A way that is dead does not carry
/// TCP either; this is for one that BFD alone finds dead, for example because the peer's BFD
/// process is gone while its BGP process lives: the announcement comes back then.
const HOLD: Duration = Duration::from_secs(30);

/// What the BGP session is to make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    /// No objection: up, or never up, or switched off by an operator on either side.
    Fine,
    /// It was up and failed, in one sentence.
    Failed(String),
}

/// Watches an engine.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    was_up: bool,
    held_until: Option<Instant>,
}

// === impl Watcher ===

impl Watcher {
    /// What to make of the engine now, if that is something new. `peer` is its name.
    pub(super) fn look(&mut self, now: Instant, engine: &Engine, peer: &str) -> Option<Health> {
        let up = engine.state() == BfdState::Up;
        let switched_off = BfdState::AdminDown;
        let wanted = engine.state() != switched_off && engine.remote_state() != switched_off;
        if up || !wanted {
            self.was_up = up;
            return self.held_until.take().map(|_| Health::Fine);
        }
        if std::mem::take(&mut self.was_up) {
            self.held_until = Some(now + HOLD);
            return Some(Health::Failed(format!(
                "BFD: the way to {peer} is down ({})",
                engine.diagnostic()
            )));
        }
        self.held_until.take_if(|until| *until <= now)?;
        Some(Health::Fine)
    }

    /// When to look again even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.held_until
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU8, NonZeroU32};

    use super::*;
    use crate::BfdConfig;
    use crate::bfd::BfdDiagnostic;
    use crate::bfd::packet::Packet;

    fn said(state: BfdState) -> Packet {
        Packet {
            diagnostic: BfdDiagnostic::NONE,
            state,
            poll: false,
            is_final: false,
            multiplier: NonZeroU8::MIN,
            my: NonZeroU32::MIN,
            your: NonZeroU32::new(7),
            desired_min_tx: Duration::from_millis(100),
            required_min_rx: Duration::from_millis(100),
        }
    }

    /// An engine that is up, and who watches it.
    fn up(now: Instant) -> (Engine, Watcher) {
        let my = NonZeroU32::new(7).unwrap();
        let mut engine = Engine::new(now, &BfdConfig::default(), my);
        let mut watcher = Watcher::default();
        assert_eq!(watcher.look(now, &engine, "leaf"), None, "never up is fine");
        for state in [BfdState::Down, BfdState::Up] {
            engine.receive(now, &said(state));
            assert_eq!(watcher.look(now, &engine, "leaf"), None);
        }
        (engine, watcher)
    }

    fn failed(now: Instant) -> (Engine, Watcher) {
        let (mut engine, mut watcher) = up(now);
        engine.tick(now + Duration::from_secs(10));
        let health = watcher.look(now, &engine, "leaf");
        let sentence = "BFD: the way to leaf is down (control detection time expired)";
        assert_eq!(health, Some(Health::Failed(sentence.to_owned())));
        assert_eq!(watcher.look(now, &engine, "leaf"), None, "said once");
        (engine, watcher)
    }

    #[test]
    fn a_failure_is_over_when_bfd_is_up_again() {
        let now = Instant::now();
        let (mut engine, mut watcher) = failed(now);
        engine.receive(now, &said(BfdState::Down));
        assert_eq!(watcher.look(now, &engine, "leaf"), None, "not yet");
        engine.receive(now, &said(BfdState::Up));
        assert_eq!(watcher.look(now, &engine, "leaf"), Some(Health::Fine));
    }

    #[test]
    fn a_failure_is_over_when_the_operator_of_the_peer_switches_bfd_off() {
        let now = Instant::now();
        let (mut engine, mut watcher) = failed(now);
        engine.receive(now, &said(BfdState::AdminDown));
        assert_eq!(watcher.look(now, &engine, "leaf"), Some(Health::Fine));
    }

    #[test]
    fn bfd_that_never_comes_back_holds_the_session_for_a_bounded_time() {
        let now = Instant::now();
        let (engine, mut watcher) = failed(now);
        let end = watcher.deadline().expect("it ends");
        assert_eq!(
            watcher.look(end - Duration::from_millis(1), &engine, "leaf"),
            None
        );
        assert_eq!(watcher.look(end, &engine, "leaf"), Some(Health::Fine));
        assert_eq!(watcher.deadline(), None);
    }

    #[test]
    fn switched_off_on_either_side_is_no_failure() {
        let now = Instant::now();
        let (mut engine, mut watcher) = up(now);
        engine.receive(now, &said(BfdState::AdminDown));
        assert_eq!(watcher.look(now, &engine, "leaf"), None);
        let (mut engine, mut watcher) = up(now);
        engine.disable(now);
        assert_eq!(watcher.look(now, &engine, "leaf"), None);
    }
}
