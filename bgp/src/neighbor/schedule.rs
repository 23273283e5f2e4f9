//! When an advertisement is due.

use std::time::{Duration, Instant};

/// The first ones follow each other quickly: whoever waits for one is there at once.
const EARLY: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(1),
];
const REGULAR: Duration = Duration::from_secs(3);
/// No two are sent closer than this, however many ask.
const APART: Duration = Duration::from_millis(200);

/// Says when to advertise. Without a clock of its own.
#[derive(Debug)]
pub(super) struct Schedule {
    sent: usize,
    last: Option<Instant>,
    next: Instant,
}

// === impl Schedule ===

impl Schedule {
    /// The first is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            last: None,
            next: now,
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// One is sent now.
    pub(super) fn sent(&mut self, now: Instant) {
        let wait = EARLY.get(self.sent).copied().unwrap_or(REGULAR);
        self.sent = self.sent.saturating_add(1);
        self.last = Some(now);
        self.next = now + wait;
    }

    /// Somebody asks.
    pub(super) fn asked(&mut self, now: Instant) {
        let soonest = self.last.map_or(now, |last| last + APART).max(now);
        self.next = self.next.min(soonest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_come_quickly_and_the_rest_every_three_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        let mut at = Vec::new();
        for _ in 0..7 {
            let now = schedule.next();
            at.push((now - start).as_millis());
            schedule.sent(now);
        }
        assert_eq!(at, [0, 250, 750, 1750, 2750, 5750, 8750]);
    }

    #[test]
    fn a_question_is_answered_at_once_and_a_storm_of_them_is_not() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for _ in 0..6 {
            schedule.sent(schedule.next());
        }
        let later = schedule.next() - Duration::from_secs(1);
        schedule.asked(later);
        assert_eq!(schedule.next(), later);
        schedule.sent(later);
        schedule.asked(later + Duration::from_millis(1));
        schedule.asked(later + Duration::from_millis(2));
        assert_eq!(schedule.next(), later + APART);
    }
}
