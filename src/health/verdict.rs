//! The verdict on this node.

use std::sync::Arc;
use std::time::Instant;

/// How fit the node is to serve, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Clients would not be served here: withdraw.
    Down,
    /// Clients are served, but better elsewhere: announce less attractively.
    Degraded,
    /// Announce.
    Healthy,
}

/// A verdict and the time until which it may be acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How fit.
    pub level: Level,
    /// Why not healthy; empty while healthy.
    pub why: Arc<str>,
    /// Since when the level has been this one.
    pub since: Instant,
    /// Not to be acted on from here on.
    pub valid_until: Instant,
}

// === impl Verdict ===

impl Verdict {
    /// The verdict before the first probe.
    pub fn unknown(now: Instant) -> Self {
        Self {
            level: Level::Down,
            why: "starting: not probed yet".into(),
            since: now,
            valid_until: now,
        }
    }

    /// The level that may be acted on at `now`: an expired verdict is as good
    /// as down.
    pub fn level_at(&self, now: Instant) -> Level {
        if now < self.valid_until {
            self.level
        } else {
            Level::Down
        }
    }
}
