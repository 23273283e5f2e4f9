//! Blocks: the addresses of a global network that one partition hands out by itself.
//!
//! A block is claimed in the global scope, then taken into the partition's pool; it is given back in
//! the opposite order. The record in the global scope says whose it is, and nothing but a request
//! of the owner or an operator changes that: no clock does.

use std::net::IpAddr;

use ipnet::IpNet;
use metal_storage::{Batch, Error, Filter, Guard, Scope, Stored};
use uuid::Uuid;

use super::super::ApiError;
use super::super::retry::Retry;
use super::pools::{pool_of, shown};
use super::{Block, Fence, Space};
use crate::clock;
use crate::commit::commit;
use crate::domain::{Family, Network, NetworkId, PartitionId};
use crate::ipam::{Interval, IpamError, Move, Want, prefix};

/// A network is cut into about so many blocks.
const BLOCKS: u128 = 64;
/// The most addresses of a block, by family.
const LARGEST: [u128; 2] = [256, 1 << 16];

/// Who hands out an address of a global network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody yet.
    Nobody,
    /// This partition.
    Partition(PartitionId),
}

/// How many addresses a block of a prefix has: small networks are cut into blocks of one to four.
pub(crate) fn block_size(prefix: IpNet) -> u128 {
    let family = Family::from(prefix);
    let bits = u32::from(family.bits() - prefix.prefix_len());
    let addresses = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
    (addresses / BLOCKS).clamp(1, LARGEST[family as usize])
}

/// The id of the fence of a block that its owner has not any more.
fn of_block(block: &Block) -> String {
    format!("block/{}", block.token)
}

/// Keeps a block from being taken in by who does not know yet that it is gone.
pub(super) fn gone(block: &Block) -> Fence {
    Fence {
        id: of_block(block),
        since: clock::wall(),
    }
}

// === impl Space ===

impl Space {
    /// Claims a block of a global network for this partition and takes it into its pool. None if
    /// there is nothing left to claim.
    ///
    /// # Errors
    /// 503 if the global store does not answer.
    pub(crate) async fn claim_block(
        &self,
        network: &NetworkId,
        of: IpNet,
        want: Want,
    ) -> Result<Option<Block>, ApiError> {
        let new = Block {
            id: String::new(),
            network: network.clone(),
            prefix: of,
            interval: Interval::one(0),
            partition: self.home().clone(),
            token: Uuid::new_v4(),
            returning: false,
        };
        let block = move |interval: Interval| Block {
            id: Block::id_of(new.prefix, interval.hi),
            interval,
            ..new.clone()
        };
        let acquire = Move::Acquire {
            pool: pool_of(of),
            want,
        };
        let with = {
            let block = block.clone();
            move |acquired: &[Interval], batch: &mut Batch| {
                batch.insert(&block(acquired[0])).map(drop)
            }
        };
        let applied = match self.apply(&Scope::Global, vec![acquire], with).await {
            Ok(applied) => applied,
            Err(IpamError::Exhausted { .. } | IpamError::Taken { .. }) => return Ok(None),
            Err(IpamError::NoPool(_)) => {
                return Err(ApiError::no_entity("network", network.as_str()));
            }
            Err(error) => return Err(error.into()),
        };
        let block = block(applied.intervals[0]);
        tracing::info!(
            network = network.as_str(),
            block = shown(&pool_of(of), &block.interval),
            "a block of a global network is claimed"
        );
        self.take_in(&self.home_scope()?, &block).await?;
        Ok(Some(block))
    }

    /// Takes a block that a partition owns into its pool, unless that was done before; one that was
    /// given back since the caller has read of it is not.
    pub(super) async fn take_in(&self, scope: &Scope, block: &Block) -> Result<(), ApiError> {
        let pool = pool_of(block.prefix);
        let grow = Move::Grow {
            pool: pool.clone(),
            interval: block.interval,
        };
        let create = Move::Create {
            pool,
            spans: vec![block.interval],
            reserved: vec![],
        };
        let own = self.table::<Block>(scope).key(&block.id)?;
        let fence = self.fence(scope, &of_block(block))?;
        let mut next = grow.clone();
        let mut retry = Retry::new("takeInBlock");
        loop {
            let (new, not_gone) = (block.clone(), Guard::Absent(fence.clone()));
            let with = move |_: &[Interval], batch: &mut Batch| {
                batch.insert(&new)?.guards.push(not_gone.clone());
                Ok(())
            };
            match self.apply(scope, vec![next.clone()], with).await {
                Ok(_) => return Ok(()),
                Err(IpamError::NoPool(_)) => next = create.clone(),
                Err(IpamError::Exists(_)) => next = grow.clone(),
                // It is in already.
                Err(IpamError::Overlap { .. }) => return Ok(()),
                Err(IpamError::Conflict(key)) if key == own || key == fence => return Ok(()),
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives a block back of which nothing is handed out; false if something is.
    pub(crate) async fn return_block(
        &self,
        scope: &Scope,
        block: &Block,
    ) -> Result<bool, ApiError> {
        let blocks = self.table::<Block>(scope);
        let Some(seen) = blocks.get(&block.id, Self::READ).await? else {
            return Ok(true);
        };
        if !seen.value.returning {
            let shrink = Move::Shrink {
                pool: pool_of(block.prefix),
                interval: block.interval,
            };
            let returning = Block {
                returning: true,
                ..seen.value.clone()
            };
            let with =
                move |_: &[Interval], batch: &mut Batch| batch.replace(&seen, &returning).map(drop);
            match self.apply(scope, vec![shrink], with).await {
                Ok(_) => {}
                Err(IpamError::Taken { .. }) => return Ok(false),
                // Another does it at the same moment.
                Err(IpamError::Conflict(_)) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        self.finish_return(scope, block).await?;
        Ok(true)
    }

    /// What is left to do of a block that hands out nothing any more.
    pub(super) async fn finish_return(&self, scope: &Scope, block: &Block) -> Result<(), ApiError> {
        let owned = self.table::<Block>(&Scope::Global);
        if let Some(seen) = owned.get(&block.id, Self::READ).await?
            && seen.value.token == block.token
        {
            let release = Move::Release {
                pool: pool_of(block.prefix),
                interval: block.interval,
            };
            let with = move |_: &[Interval], batch: &mut Batch| batch.delete(&seen).map(drop);
            match self.apply(&Scope::Global, vec![release], with).await {
                Ok(_) => tracing::info!(
                    network = block.network.as_str(),
                    block = shown(&pool_of(block.prefix), &block.interval),
                    "a block of a global network is given back"
                ),
                Err(IpamError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let blocks = self.table::<Block>(scope);
        if let Some(seen) = blocks.get(&block.id, Self::READ).await? {
            let mut batch = Batch::new(scope.clone());
            batch.delete(&seen)?.insert(&gone(block))?;
            match commit(self.store(scope), batch).await {
                Ok(_) | Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives all blocks of a network back, and its pools in the partitions with them.
    ///
    /// # Errors
    /// 422 if an address of one is handed out, naming the partition.
    pub(crate) async fn return_blocks(&self, network: &Network) -> Result<(), ApiError> {
        let all: Vec<_> = network.prefixes.iter().collect();
        self.return_blocks_of(network, &all).await
    }

    /// As [`return_blocks`](Self::return_blocks), those of some prefixes.
    pub(crate) async fn return_blocks_of(
        &self,
        network: &Network,
        prefixes: &[IpNet],
    ) -> Result<(), ApiError> {
        let id = network.id.as_str();
        let of_network = || Filter::eq("network", id);
        let owned = self.table::<Block>(&Scope::Global);
        for block in owned.list(of_network(), Self::READ).await? {
            let block = block.value;
            if !prefixes.contains(&block.prefix) {
                continue;
            }
            let scope = self.scope(Some(&block.partition))?;
            // It was claimed, and a crash kept it from being taken in.
            if self
                .table::<Block>(&scope)
                .get(&block.id, Self::READ)
                .await?
                .is_none()
            {
                self.take_in(&scope, &block).await?;
            }
            if !self.return_block(&scope, &block).await? {
                return Err(ApiError::refused(format!(
                    "network {id:?} is in use, partition {:?} has handed out addresses of {}",
                    block.partition.as_str(),
                    block.prefix
                )));
            }
        }
        for scope in self.partitions().await? {
            for prefix in prefixes {
                let delete = Move::Delete {
                    pool: pool_of(*prefix),
                };
                match self.apply(&scope, vec![delete], |_, _| Ok(())).await {
                    Ok(_) | Err(IpamError::NoPool(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Who hands out this address of a global network.
    pub(crate) async fn owner(&self, prefix: IpNet, ip: IpAddr) -> Result<Owner, ApiError> {
        Ok(match self.block_of(&Scope::Global, prefix, ip).await? {
            Some(block) => Owner::Partition(block.value.partition),
            None => Owner::Nobody,
        })
    }

    /// The block that holds an address, as the scope knows it.
    pub(crate) async fn block_of(
        &self,
        scope: &Scope,
        of: IpNet,
        ip: IpAddr,
    ) -> Result<Option<Stored<Block>>, ApiError> {
        let wanted = prefix::number(ip);
        // Ids are in the order of the blocks' last addresses: the first at or after is it, or none.
        let before = wanted.checked_sub(1).map(|n| Block::id_of(of, n));
        let table = self.table::<Block>(scope);
        let page = table.page(Filter::all(), before.as_deref(), 1, Self::READ);
        let listed = page.await?;
        let holds =
            |block: &Stored<Block>| block.value.prefix == of && block.value.interval.holds(wanted);
        Ok(listed.into_iter().next().filter(holds))
    }
}
