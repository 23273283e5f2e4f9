//! Networks and addresses across the scopes: where they are, whose they are, and the plans of what
//! takes more than one commit.
//!
//! ```text
//! global scope       claim   every root network: its id and its part of all address space
//!                    network, pool   the networks of all partitions, and what no partition owns yet
//!                    block   which addresses of them belong to which partition
//! partition's scope  network, ip, pool   its networks, their children, their addresses
//!                    block   the blocks that were taken into its pools
//!                    vrf, pool "vrf"     its VRFs, and those of the global networks
//!                    fence   what must not be made any more
//! ```
//!
//! What stands in one scope changes in one commit. Where two take part, the global one comes first
//! when something is made and last when it is deleted, and its record says how far it is, so that
//! [`Space::mend`] can finish or undo what a crash left.

mod blocks;
mod change;
mod children;
mod claims;
mod delete;
mod error;
mod facts;
mod fences;
mod fsck;
mod ips;
mod mend;
mod pools;
mod records;
mod revoke;
mod sets;
mod settle;
mod usage;
mod vrf;

use std::sync::Arc;

use metal_storage::{Entity, Read, Schema, Scope, ScopeName, Store, Table};
use tokio::sync::{Mutex, MutexGuard, mpsc};
use tokio::time::Instant;

pub use self::fsck::Finding;
pub(crate) use self::ips::Wanted;
pub use self::mend::Upkeep;
pub(crate) use self::records::{Block, Claim, ClaimState, Fence, VrfUse};
pub use self::revoke::BlockInfo;
use super::ApiError;
use crate::domain::PartitionId;
use crate::ipam::{Allocator, Ipam, Metrics, Pools};

/// The table of [`Claim`].
pub(crate) const CLAIM: Schema = Claim::SCHEMA;
/// The table of [`Block`].
pub(crate) const BLOCK: Schema = Block::SCHEMA;
/// The table of [`VrfUse`].
pub(crate) const VRF: Schema = VrfUse::SCHEMA;
/// The table of [`Fence`].
pub(crate) const FENCE: Schema = Fence::SCHEMA;

/// Networks that may wait for a block at the same time.
const HINTS: usize = 64;

/// Networks and addresses of all scopes that this node executes requests for. Cheap to clone.
#[derive(Clone)]
pub struct Space(Arc<Inner>);

struct Inner {
    global: Part,
    local: Part,
    home: PartitionId,
    /// Networks of which this partition has few addresses left.
    hints: mpsc::Sender<String>,
    /// Held while a block is claimed: when that failed the last time, if it was the last one.
    claiming: Mutex<Option<Instant>>,
}

/// A store, and the pools in it.
#[derive(Clone)]
struct Part {
    store: Arc<dyn Store>,
    ipam: Ipam,
}

// === impl Part ===

impl Part {
    fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        let ipam = Ipam::counted(Arc::clone(&store), metrics);
        Self { store, ipam }
    }
}

// === impl Space ===

impl Space {
    /// On the global and the local store, in the partition `home`; and the task that keeps blocks
    /// at hand and finishes what was left unfinished.
    ///
    /// # Errors
    /// A partition that cannot own records.
    pub fn new(
        global: Arc<dyn Store>,
        local: Arc<dyn Store>,
        home: &str,
    ) -> Result<(Self, Upkeep), ApiError> {
        let home = PartitionId::try_from(home.to_owned())?;
        let one = Arc::ptr_eq(&global, &local);
        let metrics = Metrics::default();
        let global = Part::new(global, metrics.clone());
        let local = match one {
            true => global.clone(),
            false => Part::new(local, metrics),
        };
        let (hints, hinted) = mpsc::channel(HINTS);
        let space = Self(Arc::new(Inner {
            global,
            local,
            home,
            hints,
            claiming: Mutex::new(None),
        }));
        space.scope(Some(space.home()))?;
        let upkeep = Upkeep::new(space.clone(), hinted);
        Ok((space, upkeep))
    }

    /// The partition that this node belongs to.
    pub(crate) fn home(&self) -> &PartitionId {
        &self.0.home
    }

    /// Carries out what waits for the pools; what comes then is refused.
    pub async fn close(&self) {
        self.0.local.ipam.close().await;
        self.0.global.ipam.close().await;
    }

    /// What the pools of both stores count.
    pub fn metrics(&self) -> &Metrics {
        self.0.local.ipam.metrics()
    }

    /// The scope of what is in a partition, or in all of them.
    ///
    /// # Errors
    /// 400 for a partition whose id names no scope.
    pub(crate) fn scope(&self, partition: Option<&PartitionId>) -> Result<Scope, ApiError> {
        let Some(partition) = partition else {
            return Ok(Scope::Global);
        };
        let name = ScopeName::try_from(partition.as_str());
        name.map(Scope::Partition).map_err(|_| {
            ApiError::bad_request(format!(
                "partition {:?} cannot have networks: its id is not 1 to 63 of a-z A-Z 0-9 . _ -",
                partition.as_str()
            ))
        })
    }

    /// The scope of this node's partition.
    pub(crate) fn home_scope(&self) -> Result<Scope, ApiError> {
        self.scope(Some(self.home()))
    }

    /// The records of one kind in a scope.
    pub(crate) fn table<E: Entity>(&self, scope: &Scope) -> Table<E> {
        Table::new(Arc::clone(self.store(scope)), scope.clone())
    }

    /// The pools of a scope, to be read.
    pub(crate) fn pools(&self, scope: &Scope) -> Pools {
        self.part(scope).ipam.pools(scope)
    }

    /// What changes the pools of a scope.
    pub(crate) fn allocator(&self, scope: &Scope) -> Allocator {
        self.part(scope).ipam.scope(scope)
    }

    /// The store of a scope.
    pub(crate) fn store(&self, scope: &Scope) -> &Arc<dyn Store> {
        &self.part(scope).store
    }

    /// How a scope is read: as it is.
    pub(crate) const READ: Read = Read::Latest;

    async fn claiming(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.claiming.lock().await
    }

    fn part(&self, scope: &Scope) -> &Part {
        match scope {
            Scope::Global => &self.0.global,
            _ => &self.0.local,
        }
    }
}
