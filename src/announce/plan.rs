//! What is announced, given the verdict and the phase of a departure.

use ipnet::IpNet;
use metal_bgp::{Announcement, AnnouncementError, Attributes, Community};

use super::departure::Phase;
use crate::config::Degraded;
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
    /// Announces `prefixes`, with `med` while healthy.
    pub fn new(
        prefixes: &[IpNet],
        med: Option<u32>,
        degraded: Degraded,
    ) -> Result<Self, AnnouncementError> {
        let announcement = |med, communities: &[Community]| {
            let attributes = Attributes::default().with_med(med);
            let attributes = attributes.with_communities(communities.iter().copied())?;
            Announcement::new(prefixes.iter().copied(), attributes)
        };
        let shutdown = [Community::GRACEFUL_SHUTDOWN];
        Ok(Self {
            healthy: announcement(med, &[])?,
            degraded: match degraded {
                Degraded::GracefulShutdown => announcement(med, &shutdown)?,
                Degraded::Med(med) => announcement(Some(med), &[])?,
            },
            leaving: announcement(med, &shutdown)?,
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

    fn policy(degraded: Degraded) -> Policy {
        let prefix = "192.0.2.1/32".parse().expect("a prefix");
        Policy::new(&[prefix], Some(10), degraded).expect("valid")
    }

    fn communities(plan: Plan<'_>) -> Option<Vec<Community>> {
        match plan {
            Plan::Announce(announcement) => {
                let (_, attributes) = announcement.routes().next().expect("one prefix");
                Some(attributes.communities().to_vec())
            }
            Plan::Withdraw => None,
        }
    }

    #[test]
    fn only_a_verdict_that_is_not_down_announces_and_only_before_the_withdrawal() {
        let policy = policy(Degraded::GracefulShutdown);
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
    fn leaving_and_degraded_nodes_are_announced_less_attractively() {
        let shutdown = Some(vec![Community::GRACEFUL_SHUTDOWN]);
        let by_community = policy(Degraded::GracefulShutdown);
        assert_eq!(
            communities(by_community.plan(Level::Healthy, Phase::Serving)),
            Some(vec![])
        );
        assert_eq!(
            communities(by_community.plan(Level::Healthy, Phase::Leaving)),
            shutdown
        );
        assert_eq!(
            communities(by_community.plan(Level::Degraded, Phase::Serving)),
            shutdown
        );
        let by_med = policy(Degraded::Med(500));
        match by_med.plan(Level::Degraded, Phase::Serving) {
            Plan::Announce(announcement) => {
                let (_, attributes) = announcement.routes().next().expect("one prefix");
                assert_eq!(attributes.med(), Some(500));
            }
            Plan::Withdraw => panic!("a degraded node serves"),
        }
    }
}
