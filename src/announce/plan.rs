//! What is announced, given the verdict and the phase of a departure.

use std::collections::BTreeMap;

use ipnet::IpNet;
use metal_bgp::{Announcement, AnnouncementError, Attributes};

use super::departure::Phase;
use crate::config::Levels;
use crate::health::Level;

/// The announcements that the configuration allows for, checked once.
#[derive(Debug, Clone)]
pub struct Policy {
    healthy: Announcement,
    degraded: Announcement,
    leaving: Announcement,
}

/// What to tell the speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan<'p> {
    /// Announce this until the verdict expires.
    Announce(&'p Announcement),
    /// Announce nothing.
    Withdraw,
}

// === impl Policy ===

impl Policy {
    /// Announces `prefixes` with the attributes of each level, or their own.
    pub fn new(
        prefixes: &[IpNet],
        levels: &Levels,
        exceptions: &BTreeMap<IpNet, Levels>,
    ) -> Result<Self, AnnouncementError> {
        let announcement = |of: fn(&Levels) -> &Attributes| {
            let attributes = |prefix| of(exceptions.get(prefix).unwrap_or(levels)).clone();
            Announcement::per_prefix(prefixes.iter().map(|prefix| (*prefix, attributes(prefix))))
        };
        Ok(Self {
            healthy: announcement(|levels| &levels.healthy)?,
            degraded: announcement(|levels| &levels.degraded)?,
            leaving: announcement(|levels| &levels.leaving)?,
        })
    }

    /// The prefixes that are announced while the node is fit.
    pub fn prefixes(&self) -> &[IpNet] {
        self.healthy.prefixes()
    }

    /// The plan for a level that is valid now.
    pub const fn plan(&self, level: Level, phase: Phase) -> Plan<'_> {
        match (phase, level) {
            (Phase::Serving, Level::Healthy) => Plan::Announce(&self.healthy),
            (Phase::Serving, Level::Degraded) => Plan::Announce(&self.degraded),
            (Phase::Leaving, Level::Healthy | Level::Degraded) => Plan::Announce(&self.leaving),
            (_, Level::Down) | (Phase::Withdrawn | Phase::Gone, _) => Plan::Withdraw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn med(med: u32) -> Attributes {
        Attributes::default().with_med(med)
    }

    fn policy() -> Policy {
        let prefixes = ["192.0.2.1/32", "192.0.2.2/32"].map(|text| text.parse().expect("a prefix"));
        let levels = |healthy, degraded, leaving| Levels {
            healthy: med(healthy),
            degraded: med(degraded),
            leaving: med(leaving),
        };
        let exceptions = BTreeMap::from([(prefixes[1], levels(11, 12, 13))]);
        Policy::new(&prefixes, &levels(1, 2, 3), &exceptions).expect("valid")
    }

    #[test]
    fn only_a_verdict_that_is_not_down_announces_and_only_before_the_withdrawal() {
        let policy = policy();
        for phase in [
            Phase::Serving,
            Phase::Leaving,
            Phase::Withdrawn,
            Phase::Gone,
        ] {
            assert_eq!(policy.plan(Level::Down, phase), Plan::Withdraw);
            let announced = policy.plan(Level::Healthy, phase) != Plan::Withdraw;
            assert_eq!(announced, matches!(phase, Phase::Serving | Phase::Leaving));
        }
    }

    #[test]
    fn each_level_a_departure_and_a_prefix_have_their_own_attributes() {
        let policy = policy();
        for (level, phase, wanted) in [
            (Level::Healthy, Phase::Serving, 1),
            (Level::Degraded, Phase::Serving, 2),
            (Level::Healthy, Phase::Leaving, 3),
            (Level::Degraded, Phase::Leaving, 3),
        ] {
            let Plan::Announce(announcement) = policy.plan(level, phase) else {
                panic!("it serves");
            };
            let seen: Vec<_> = announcement.routes().map(|(_, it)| it.med()).collect();
            assert_eq!(seen, [Some(wanted), Some(wanted + 10)]);
        }
    }
}
