//! The task that follows the verdict and tells the speaker.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::departure::Phase;
use super::driver::Driver;
use super::plan::{Plan, Policy};
use crate::health::Verdict;

/// Tells the speaker what follows from each verdict, and nothing else.
pub struct Announcer {
    speaker: Arc<Driver>,
    policies: watch::Receiver<Policy>,
    verdicts: watch::Receiver<Verdict>,
    phases: watch::Receiver<Phase>,
}

// === impl Announcer ===

impl Announcer {
    /// Announces by the latest of `policies` what `verdicts` and `phases` allow.
    pub fn new(
        speaker: Arc<Driver>,
        policies: watch::Receiver<Policy>,
        verdicts: watch::Receiver<Verdict>,
        phases: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            speaker,
            policies,
            verdicts,
            phases,
        }
    }

    /// Follows until the checker or the departure is gone; the speaker then
    /// withdraws when the last verdict expires.
    pub async fn run(mut self) {
        loop {
            self.tell();
            let changed = tokio::select! {
                changed = self.verdicts.changed() => changed,
                changed = self.phases.changed() => changed,
                changed = self.policies.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
        }
    }

    fn tell(&mut self) {
        let verdict = self.verdicts.borrow_and_update().clone();
        let phase = *self.phases.borrow_and_update();
        // Borrowed, not cloned: this runs with every verdict.
        let policy = self.policies.borrow_and_update();
        match policy.plan(verdict.level_at(Instant::now()), phase) {
            Plan::Announce(announcement) => {
                self.speaker
                    .announce(announcement.clone(), verdict.valid_until);
            }
            Plan::Withdraw => self.speaker.withdraw(),
        }
    }
}
