//! A path as the driver thinks of it, before either API writes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::messages::{AFI_IP, AFI_IP6, Family, SAFI_UNICAST};
use crate::Announcement;

/// One prefix with its attributes; equal if the daemon's peers would see no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathSpec {
    pub(super) prefix: IpNet,
    pub(super) med: Option<u32>,
    pub(super) communities: Vec<u32>,
    pub(super) next_hop: IpAddr,
}

// === impl PathSpec ===

impl PathSpec {
    /// The paths of an announcement. A next hop of zeroes lets the daemon fill in its own address
    /// on each session.
    pub(super) fn of(
        announcement: &Announcement,
        next_hop_v4: Option<Ipv4Addr>,
        next_hop_v6: Option<Ipv6Addr>,
    ) -> Vec<Self> {
        let path = |prefix: &IpNet| Self {
            prefix: *prefix,
            med: announcement.med(),
            communities: announcement
                .communities()
                .iter()
                .map(|one| one.bits())
                .collect(),
            next_hop: match prefix {
                IpNet::V4(_) => next_hop_v4.unwrap_or(Ipv4Addr::UNSPECIFIED).into(),
                IpNet::V6(_) => next_hop_v6.unwrap_or(Ipv6Addr::UNSPECIFIED).into(),
            },
        };
        announcement.prefixes().iter().map(path).collect()
    }

    /// A path that is only good for deleting what is at this prefix.
    pub(super) fn bare(prefix: IpNet) -> Self {
        Self {
            prefix,
            med: None,
            communities: Vec::new(),
            next_hop: match prefix {
                IpNet::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                IpNet::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            },
        }
    }
}

/// The family of a prefix.
pub(super) fn family(prefix: &IpNet) -> Family {
    Family {
        afi: match prefix {
            IpNet::V4(_) => AFI_IP,
            IpNet::V6(_) => AFI_IP6,
        },
        safi: SAFI_UNICAST,
    }
}
