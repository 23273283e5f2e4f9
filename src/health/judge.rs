//! Fall fast, rise slowly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::verdict::{Level, Verdict};

/// A fall so soon after the last one doubles the next rise.
const FLAP_WINDOW: Duration = Duration::from_secs(60);
/// The rise is stretched no further than by this factor.
const MAX_BACKOFF: u32 = 16;

/// Worst first, as they index the counters.
const LEVELS: [Level; 3] = [Level::Down, Level::Degraded, Level::Healthy];

/// Turns rounds of findings into a level. Pure: it is told the time.
#[derive(Debug)]
pub struct Judge {
    fall: u32,
    rise: u32,
    level: Level,
    why: Arc<str>,
    since: Instant,
    /// For each level, how many rounds in a row were no better.
    no_better: [u32; LEVELS.len()],
    /// For each level, how many rounds in a row were no worse.
    no_worse: [u32; LEVELS.len()],
    last_fall: Option<Instant>,
    backoff: u32,
}

// === impl Judge ===

impl Judge {
    /// Falls after `fall` worse rounds in a row, rises after `rise` better
    /// ones; starts down.
    pub fn new(fall: u32, rise: u32, now: Instant) -> Self {
        Self {
            fall: fall.max(1),
            rise: rise.max(1),
            level: Level::Down,
            why: Verdict::unknown(now).why,
            since: now,
            no_better: [0; LEVELS.len()],
            no_worse: [0; LEVELS.len()],
            last_fall: None,
            backoff: 1,
        }
    }

    /// Takes the outcome of one round.
    pub fn round(&mut self, found: Level, why: Option<&Arc<str>>, now: Instant) {
        for (index, level) in LEVELS.into_iter().enumerate() {
            count(&mut self.no_better[index], found <= level);
            count(&mut self.no_worse[index], found >= level);
        }
        let level = self.decide();
        if level < self.level {
            self.note_fall(now);
        }
        if level != self.level {
            self.level = level;
            self.since = now;
            self.why = why.cloned().unwrap_or_else(|| "".into());
        } else if found == level
            && let Some(why) = why
            && *self.why != **why
        {
            self.why = Arc::clone(why);
        }
    }

    /// The level after the rounds so far: the worst one that the latest rounds
    /// agree on, else the best one that enough of them reached.
    fn decide(&self) -> Level {
        let rise = self.rise.saturating_mul(self.backoff);
        let worse = LEVELS.into_iter().zip(self.no_better);
        let better = LEVELS.into_iter().zip(self.no_worse).rev();
        let fallen = worse
            .filter(|(level, rounds)| *level < self.level && *rounds >= self.fall)
            .map(|(level, _)| level)
            .next();
        let risen = better
            .filter(|(level, rounds)| *level > self.level && *rounds >= rise)
            .map(|(level, _)| level)
            .next();
        fallen.or(risen).unwrap_or(self.level)
    }

    /// The verdict, to be acted on until `valid_until`.
    pub fn verdict(&self, valid_until: Instant) -> Verdict {
        Verdict {
            level: self.level,
            why: Arc::clone(&self.why),
            since: self.since,
            valid_until,
        }
    }

    fn note_fall(&mut self, now: Instant) {
        let flapping = self
            .last_fall
            .is_some_and(|last| now.saturating_duration_since(last) < FLAP_WINDOW);
        self.backoff = if flapping {
            (self.backoff * 2).min(MAX_BACKOFF)
        } else {
            1
        };
        self.last_fall = Some(now);
    }
}

fn count(rounds: &mut u32, more: bool) {
    *rounds = if more { rounds.saturating_add(1) } else { 0 };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUND: Duration = Duration::from_millis(100);

    /// A judge and its clock.
    struct Court {
        judge: Judge,
        now: Instant,
    }

    impl Court {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                judge: Judge::new(2, 5, now),
                now,
            }
        }

        fn hear(&mut self, found: Level, rounds: u32) -> Level {
            for _ in 0..rounds {
                self.now += ROUND;
                self.judge.round(found, Some(&"reason".into()), self.now);
            }
            self.judge.verdict(self.now).level
        }

        /// Rounds until healthy.
        fn recovery(&mut self) -> u32 {
            (1..=1000)
                .find(|_| self.hear(Level::Healthy, 1) == Level::Healthy)
                .expect("it recovers")
        }
    }

    #[test]
    fn it_starts_down_rises_after_five_good_rounds_and_falls_after_two_bad_ones() {
        let mut court = Court::new();
        assert_eq!(court.hear(Level::Healthy, 4), Level::Down);
        assert_eq!(court.hear(Level::Healthy, 1), Level::Healthy);
        assert_eq!(court.hear(Level::Down, 1), Level::Healthy);
        assert_eq!(court.hear(Level::Down, 1), Level::Down);
    }

    #[test]
    fn one_missed_round_among_good_ones_changes_nothing() {
        let mut court = Court::new();
        court.hear(Level::Healthy, 5);
        for _ in 0..20 {
            assert_eq!(court.hear(Level::Down, 1), Level::Healthy);
            assert_eq!(court.hear(Level::Healthy, 1), Level::Healthy);
        }
    }

    #[test]
    fn each_fall_soon_after_the_last_doubles_the_recovery_up_to_a_bound() {
        let mut court = Court::new();
        assert_eq!(court.recovery(), 5);
        for expected in [5, 10, 20, 40, 80, 80] {
            court.hear(Level::Down, 2);
            assert_eq!(court.recovery(), expected);
        }
        court.now += FLAP_WINDOW;
        court.hear(Level::Down, 2);
        assert_eq!(court.recovery(), 5);
    }

    #[test]
    fn poor_rounds_between_bad_ones_fall_no_further_than_degraded() {
        let mut court = Court::new();
        court.hear(Level::Healthy, 5);
        court.hear(Level::Down, 1);
        assert_eq!(court.hear(Level::Degraded, 1), Level::Degraded);
        assert_eq!(court.hear(Level::Healthy, 4), Level::Degraded);
        assert_eq!(court.hear(Level::Healthy, 1), Level::Healthy);
    }

    #[test]
    fn the_reason_follows_the_latest_round() {
        let mut court = Court::new();
        let now = court.now;
        court
            .judge
            .round(Level::Down, Some(&"disk full".into()), now);
        assert_eq!(&*court.judge.verdict(now).why, "disk full");
        court.hear(Level::Healthy, 5);
        court.judge.round(Level::Down, Some(&"cut".into()), now);
        court.judge.round(Level::Down, Some(&"gone".into()), now);
        assert_eq!(&*court.judge.verdict(now).why, "gone");
    }

    proptest! {
        #[test]
        fn it_is_healthy_only_after_a_whole_rise_since_the_last_fall(
            rounds in proptest::collection::vec(0_u8..3, 1..400)
        ) {
            let mut court = Court::new();
            let mut healthy_streak = 0_u32;
            let mut bad_streak = 0_u32;
            for round in rounds {
                let found = [Level::Down, Level::Degraded, Level::Healthy][usize::from(round)];
                let before = court.judge.verdict(court.now).level;
                let after = court.hear(found, 1);
                healthy_streak = if found == Level::Healthy { healthy_streak + 1 } else { 0 };
                bad_streak = if found == Level::Down { bad_streak + 1 } else { 0 };
                if after == Level::Healthy && before != Level::Healthy {
                    prop_assert!(healthy_streak >= 1);
                }
                if before == Level::Down && after != Level::Down {
                    prop_assert_eq!(bad_streak, 0);
                }
                if bad_streak >= 2 {
                    prop_assert_eq!(after, Level::Down);
                }
            }
        }
    }
}
