//! Intervals that do not fall into step.

use std::time::Duration;

use crate::bfd::packet::Discriminator;

/// Shortens intervals by a random part (RFC 5880 section 6.8.7). Random enough for that, and the
/// same for the same discriminator, so that tests can be repeated.
#[derive(Debug)]
pub(super) struct Jitter(u64);

// === impl Jitter ===

impl Jitter {
    pub(super) fn new(seed: Discriminator) -> Self {
        Self(u64::from(seed.get()) << 16 | 1)
    }

    /// Between three quarters of `interval` and all of it; nine tenths at the most for the only
    /// packet that the peer may miss (`last`).
    pub(super) fn apply(&mut self, interval: Duration, last: bool) -> Duration {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let (least, range) = if last { (750, 150) } else { (750, 250) };
        let part = least + (self.0 >> 32) % range;
        interval * u32::try_from(part).expect("at most a thousand") / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jitter_keeps_to_its_bounds() {
        let mut jitter = Jitter::new(Discriminator::new(7).unwrap());
        let second = Duration::from_secs(1);
        for _ in 0..10_000 {
            let usual = jitter.apply(second, false);
            assert!(usual >= second * 3 / 4 && usual <= second, "{usual:?}");
            let last = jitter.apply(second, true);
            assert!(
                last >= second * 3 / 4 && last <= second * 9 / 10,
                "{last:?}"
            );
        }
    }
}
