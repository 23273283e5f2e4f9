//! A path as the driver thinks of it, before either API writes it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::messages::{
    AFI_IP, AFI_IP6, AS_SEQUENCE, AsPath, AsSegment, Communities, Family, LargeCommunities,
    LargeCommunity, SAFI_UNICAST,
};
use crate::{Announcement, Asn, Attributes};

/// One prefix with its attributes; equal if the daemon's peers would see no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathSpec {
    pub(super) prefix: IpNet,
    pub(super) attributes: Attributes,
    pub(super) next_hop: IpAddr,
    /// What is prepended.
    pub(super) asn: Asn,
}

/// How paths are made of announcements.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathMaker {
    pub(super) asn: Asn,
    /// Without one, zeroes: the daemon then fills in its own address on each session.
    pub(super) next_hop_v4: Option<Ipv4Addr>,
    pub(super) next_hop_v6: Option<Ipv6Addr>,
}

// === impl PathMaker ===

impl PathMaker {
    /// The paths of an announcement.
    pub(super) fn paths(&self, announcement: &Announcement) -> BTreeMap<IpNet, PathSpec> {
        let path = |(prefix, attributes): (IpNet, &Attributes)| {
            (prefix, self.path(prefix, attributes.clone()))
        };
        announcement.routes().map(path).collect()
    }

    /// A path that is only good for deleting what is at this prefix.
    pub(super) fn bare(&self, prefix: IpNet) -> PathSpec {
        self.path(prefix, Attributes::default())
    }

    fn path(&self, prefix: IpNet, attributes: Attributes) -> PathSpec {
        let next_hop = match prefix {
            IpNet::V4(_) => self.next_hop_v4.unwrap_or(Ipv4Addr::UNSPECIFIED).into(),
            IpNet::V6(_) => self.next_hop_v6.unwrap_or(Ipv6Addr::UNSPECIFIED).into(),
        };
        PathSpec {
            prefix,
            attributes,
            next_hop,
            asn: self.asn,
        }
    }
}

// === impl PathSpec ===

impl PathSpec {
    /// The AS_PATH that the daemon prepends its own AS to, as any speaker does.
    pub(super) fn as_path(&self) -> Option<AsPath> {
        let times = usize::from(self.attributes.prepend());
        (times > 0).then(|| AsPath {
            segments: vec![AsSegment {
                kind: AS_SEQUENCE,
                numbers: vec![self.asn.get(); times],
            }],
        })
    }

    pub(super) fn communities(&self) -> Option<Communities> {
        let communities: Vec<u32> = self
            .attributes
            .communities()
            .iter()
            .map(|one| one.bits())
            .collect();
        (!communities.is_empty()).then_some(Communities { communities })
    }

    pub(super) fn large_communities(&self) -> Option<LargeCommunities> {
        let parts = |one: &crate::LargeCommunity| {
            let [global_admin, local_data1, local_data2] = one.parts();
            LargeCommunity {
                global_admin,
                local_data1,
                local_data2,
            }
        };
        let communities: Vec<_> = self
            .attributes
            .large_communities()
            .iter()
            .map(parts)
            .collect();
        (!communities.is_empty()).then_some(LargeCommunities { communities })
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
