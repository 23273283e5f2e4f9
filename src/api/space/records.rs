//! How networks, addresses and who owns them are stored.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use metal_storage::{Column, Entity, Schema, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::records::Named;
use crate::domain::{Ip, Network, NetworkId, PartitionId};
use crate::ipam::Interval;

/// A network that is nobody's child: its id, and the address space that it has of all there is. In
/// the global scope, wherever the network itself is.
///
/// It is also the written-down plan of making and deleting the network where that takes more than
/// one commit; [`settle`](super::settle) finishes or undoes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The network.
    pub network: NetworkId,
    /// Where the network is; none for the global scope.
    pub partition: Option<PartitionId>,
    /// What it has.
    pub prefixes: Vec<IpNet>,
    /// The VRF that all partitions keep for it; of a global network only.
    pub vrf: Option<u32>,
    /// How far it is.
    pub state: ClaimState,
    /// What only one network can be, such as the underlay of a partition.
    pub role: Option<String>,
    /// Tells this claim from others of the same id.
    pub token: Uuid,
    /// When it came into its state.
    pub since: DateTime<Utc>,
}

/// How far a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClaimState {
    /// The network is being made.
    Pending,
    /// The network is there.
    Held,
    /// The network is being deleted.
    Releasing,
}

/// Addresses of a global network that one partition hands out. In the global scope it says whose
/// they are; in the partition's, that they have been taken into its pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// `4/` or `6/`, and the last address as 32 hexadecimal digits.
    pub id: String,
    /// The network.
    pub network: NetworkId,
    /// The prefix of the network that it is of.
    pub prefix: IpNet,
    /// The addresses.
    pub interval: Interval,
    /// The owner.
    pub partition: PartitionId,
    /// Tells this ownership from earlier ones of the same addresses.
    pub token: Uuid,
    /// The owner gives it back and hands out nothing of it any more.
    pub returning: bool,
}

/// The networks that have a VRF. In a partition's scope those of the partition and the global ones;
/// in the global scope the global ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VrfUse {
    /// The VRF, as text.
    pub id: String,
    /// Whose it is; never empty.
    pub networks: Vec<NetworkId>,
    /// Whether more may have it.
    pub shared: bool,
}

/// Keeps something from being made: whoever makes it requires that there is no such record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fence {
    /// `claim/TOKEN`, `block/TOKEN`, `project/ID` or `quota/ID`.
    pub id: String,
    /// When it was put up.
    pub since: DateTime<Utc>,
}

// === impl Claim ===

impl Entity for Claim {
    const SCHEMA: Schema = Schema::new(
        "claim",
        &[Column::text("state"), Column::text("role").unique()],
    );

    fn id(&self) -> &str {
        self.network.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        let role = self.role.as_ref().map_or(Value::Null, Value::from);
        vec![Value::from(self.state.as_str()), role]
    }
}

impl ClaimState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Releasing => "releasing",
        }
    }
}

// === impl Block ===

impl Block {
    /// The id of the block of a prefix that ends with this address.
    pub fn id_of(prefix: IpNet, last: u128) -> String {
        match prefix {
            IpNet::V4(_) => format!("4/{last:032x}"),
            IpNet::V6(_) => format!("6/{last:032x}"),
        }
    }
}

impl Entity for Block {
    const SCHEMA: Schema = Schema::new(
        "block",
        &[Column::text("network"), Column::text("partition")],
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::from(self.network.as_str()),
            Value::from(self.partition.as_str()),
        ]
    }
}

// === impl VrfUse ===

impl Entity for VrfUse {
    const SCHEMA: Schema = Schema::new("vrf", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}

// === impl Fence ===

impl Entity for Fence {
    const SCHEMA: Schema = Schema::new("fence", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}

// === impl Network ===

impl Named for Network {
    const NAME: &'static str = "network";
}

impl Entity for Network {
    const SCHEMA: Schema = Schema::new(
        "network",
        &[
            Column::text("kind"),
            Column::text("parent"),
            Column::text("project"),
            Column::text("name"),
        ],
    );

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        let text = |id: Option<&str>| id.map_or(Value::Null, Value::from);
        vec![
            Value::from(self.network_type()),
            text(self.parent.as_ref().map(NetworkId::as_str)),
            text(self.project.as_ref().map(|id| id.as_str())),
            Value::from(&self.name),
        ]
    }
}

// === impl Ip ===

impl Named for Ip {
    const NAME: &'static str = "ip";
}

impl Entity for Ip {
    const SCHEMA: Schema = Schema::new("ip", &[Column::text("network"), Column::text("project")]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::from(self.network.as_str()),
            Value::from(self.project.as_str()),
        ]
    }
}
