//! When to try again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::PeerConfig;

/// Waits that double from try to try up to a bound, with a jitter of a quarter either way so that
/// many speakers do not hit a restarted leaf in step.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

// === impl Backoff ===

impl Backoff {
    pub(super) fn new(peer: &PeerConfig) -> Self {
        Self {
            min: peer.retry_min,
            max: peer.retry_max,
            next: peer.retry_min,
        }
    }

    pub(super) fn reset(&mut self) {
        self.next = self.min;
    }

    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        // Every `RandomState` hashes with other keys, which is random enough for a jitter.
        let random = RandomState::new().build_hasher().finish() % 1024;
        (wait * 3 / 4 + wait / 2 * random as u32 / 1024).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Asn;

    #[test]
    fn waits_grow_to_their_bound_and_start_over_after_a_reset() {
        let peer = PeerConfig::new("10.0.0.1".parse().unwrap(), Asn::try_from(65_001).unwrap());
        let mut backoff = Backoff::new(&peer);
        let first = backoff.next();
        assert!(first >= peer.retry_min * 3 / 4 && first <= peer.retry_min * 5 / 4);
        let later: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(later.iter().all(|wait| *wait <= peer.retry_max));
        assert!(later[10] >= peer.retry_max * 3 / 4);
        backoff.reset();
        assert!(backoff.next() <= peer.retry_min * 5 / 4);
    }
}
