//! When to try again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::PeerConfig;

/// What a peer's task waits for before it tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing: something else is wanted.
    Nothing,
    /// A while, because the last session failed.
    Time,
    /// A while, or a connection that the peer makes.
    Connection,
}

/// Waits that double from try to try up to a bound, with a jitter of a quarter either way so that
/// many speakers do not hit a restarted leaf in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

// === impl Backoff ===

impl Backoff {
    pub(super) fn next(&mut self, peer: &PeerConfig, wait: Wait) -> Duration {
        if wait == Wait::Nothing {
            return Duration::ZERO;
        }
        let factor = 1u32.checked_shl(self.tries).unwrap_or(u32::MAX);
        let wait = peer.retry_min.saturating_mul(factor).min(peer.retry_max);
        self.tries = (self.tries + 1).min(32);
        // Every `RandomState` hashes with other keys, which is random enough for a jitter.
        let random = RandomState::new().build_hasher().finish() % 1024;
        (wait * 3 / 4 + wait / 2 * random as u32 / 1024).min(peer.retry_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Asn;

    #[test]
    fn waits_grow_to_their_bound_and_start_over_with_a_new_backoff() {
        let peer = PeerConfig::new("10.0.0.1".parse().unwrap(), Asn::try_from(65_001).unwrap());
        let mut backoff = Backoff::default();
        let first = backoff.next(&peer, Wait::Time);
        assert!(first >= peer.retry_min * 3 / 4 && first <= peer.retry_min * 5 / 4);
        let later: Vec<_> = (0..40)
            .map(|_| backoff.next(&peer, Wait::Connection))
            .collect();
        assert!(later.iter().all(|wait| *wait <= peer.retry_max));
        assert!(
            later[10..]
                .iter()
                .all(|wait| *wait >= peer.retry_max * 3 / 4)
        );
        assert_eq!(backoff.next(&peer, Wait::Nothing), Duration::ZERO);
        assert!(Backoff::default().next(&peer, Wait::Time) <= peer.retry_min * 5 / 4);
    }
}
