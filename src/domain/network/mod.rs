//! Networks.

mod check;
mod prefixes;
mod query;

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::prefixes::{Prefixes, prefix};
pub use self::query::NetworkQuery;
use super::{Family, NetworkId, PartitionId, ProjectId, Timestamps};

/// Length of the prefixes that children get, by family.
pub type ChildLengths = BTreeMap<Family, u8>;

/// A network: prefixes, and who may use them for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Id.
    pub id: NetworkId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// Where it is; none if it is in every partition.
    pub partition: Option<PartitionId>,
    /// Whom it belongs to; none if to nobody.
    pub project: Option<ProjectId>,
    /// The super network that its prefixes are of.
    pub parent: Option<NetworkId>,
    /// Its addresses.
    pub prefixes: Prefixes,
    /// What is reached through it.
    pub destinations: Vec<IpNet>,
    /// What the switches let its machines announce beside its prefixes.
    pub announcable: Vec<IpNet>,
    /// Length of the children's prefixes; of a super network only.
    pub child_lengths: ChildLengths,
    /// Whether project networks of a partition are made of it.
    pub private_super: bool,
    /// Whether it is what the partition itself runs on.
    pub underlay: bool,
    /// Whether IPv4 that leaves it is masqueraded.
    pub nat: bool,
    /// Whether other projects may use it.
    pub shared: bool,
    /// VRF id.
    pub vrf: Option<u32>,
    /// Whether others may have the same VRF.
    pub vrf_shared: bool,
}

// === impl Network ===

impl Network {
    /// What metal-api's second version calls this kind of network.
    pub fn network_type(&self) -> &'static str {
        match self {
            Self {
                private_super: true,
                ..
            } => "super",
            Self { underlay: true, .. } => "underlay",
            Self { parent: None, .. } => "external",
            Self { shared: true, .. } => "child-shared",
            _ => "child",
        }
    }

    /// What metal-api's second version calls this kind of masquerading.
    pub fn nat_type(&self) -> &'static str {
        match self.nat {
            true => "ipv4-masquerade",
            false => "none",
        }
    }

    /// Whether a project may take addresses of it: networks of projects are for these alone, unless
    /// they are shared.
    pub fn permits(&self, project: &ProjectId) -> bool {
        self.parent.is_none() || self.shared || self.project.as_ref() == Some(project)
    }
}
