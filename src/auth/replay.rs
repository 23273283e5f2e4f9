//! Signatures that were seen, kept until they expire by themselves.
//!
//! The clients' signature covers date, method and salt, but neither path nor
//! body: whoever overhears one `POST` could send another `POST` with it. So
//! the signature of every request that is not a `GET` is remembered, also of
//! those that only read, and a *writing* request with a remembered signature
//! is refused.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An HMAC-SHA256 value.
pub type Mac = [u8; 32];

/// What [`ReplayGuard::remember`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Never seen inside its lifetime; it is remembered from now on.
    First,
    /// Seen before.
    Before,
    /// Too many live signatures: it could not be remembered.
    Full,
}

/// A bounded memory of signatures.
///
/// Cost: O(1) amortised per request, about 100 bytes per live signature.
#[derive(Debug)]
pub struct ReplayGuard {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seen: HashSet<Mac>,
    /// In order of arrival. Lifetimes differ per role, so an entry may wait
    /// behind one that lives longer; it is bounded all the same.
    expiry: VecDeque<(Instant, Mac)>,
}

// === impl ReplayGuard ===

impl ReplayGuard {
    /// Remembers at most `capacity` live signatures.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            inner: Mutex::default(),
        }
    }

    /// Notes that `mac` was seen at `now` and stays valid for `lifetime` more.
    pub fn remember(&self, mac: Mac, now: Instant, lifetime: Duration) -> Seen {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.expire(now);
        if inner.seen.contains(&mac) {
            return Seen::Before;
        }
        if inner.seen.len() >= self.capacity {
            return Seen::Full;
        }
        inner.seen.insert(mac);
        inner.expiry.push_back((now + lifetime, mac));
        Seen::First
    }

    /// How many signatures are remembered.
    pub fn len(&self) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.seen.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

// === impl Inner ===

impl Inner {
    fn expire(&mut self, now: Instant) {
        while self.expiry.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, mac)) = self.expiry.pop_front() {
                self.seen.remove(&mac);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(30);

    fn mac(n: u8) -> Mac {
        [n; 32]
    }

    #[test]
    fn a_signature_passes_once_inside_its_lifetime_and_is_forgotten_after_it() {
        let guard = ReplayGuard::new(8);
        let start = Instant::now();
        assert_eq!(guard.remember(mac(1), start, LIFETIME), Seen::First);
        let late = start + LIFETIME - Duration::from_millis(1);
        assert_eq!(guard.remember(mac(1), late, LIFETIME), Seen::Before);
        assert_eq!(
            guard.remember(mac(1), start + LIFETIME, LIFETIME),
            Seen::First
        );
    }

    #[test]
    fn a_full_memory_refuses_to_forget_what_is_still_valid() {
        let guard = ReplayGuard::new(2);
        let start = Instant::now();
        guard.remember(mac(1), start, LIFETIME);
        guard.remember(mac(2), start, LIFETIME);
        assert_eq!(guard.remember(mac(3), start, LIFETIME), Seen::Full);
        assert_eq!(guard.remember(mac(1), start, LIFETIME), Seen::Before);
        assert_eq!(
            guard.remember(mac(3), start + LIFETIME, LIFETIME),
            Seen::First
        );
        assert_eq!(guard.len(), 1);
    }
}
