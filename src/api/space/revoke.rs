//! Taking blocks from a partition that does not give them back by itself.

use metal_storage::{Batch, Filter, Scope, Stored};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::ApiError;
use super::super::retry::Retry;
use super::blocks::gone;
use super::pools::{pool_of, shown};
use super::sets::difference;
use super::{Block, Space};
use crate::commit::commit;
use crate::ipam::{Interval, IpamError, Move, Want, prefix};

/// Parts into which a block is split at the most: they are written in one commit.
const PARTS: usize = 50;

/// A block, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// Names it.
    pub id: String,
    /// The network.
    pub network: String,
    /// The prefix of the network.
    pub prefix: String,
    /// The first address.
    pub first: String,
    /// The last address.
    pub last: String,
    /// The owner.
    pub partition: String,
    /// Addresses.
    pub addresses: u64,
    /// Those that are handed out; unknown while it is not taken in.
    pub used: Option<u64>,
}

// === impl Space ===

impl Space {
    /// All blocks of all partitions.
    ///
    /// # Errors
    /// 503 if the global store does not answer.
    pub(crate) async fn blocks(&self) -> Result<Vec<BlockInfo>, ApiError> {
        let blocks = self.table::<Block>(&Scope::Global);
        let mut infos = Vec::new();
        for Stored { value: block, .. } in blocks.list(Filter::all(), Self::READ).await? {
            let scope = self.scope(Some(&block.partition))?;
            let taken = self
                .table::<Block>(&scope)
                .get(&block.id, Self::READ)
                .await?;
            let used = match taken {
                Some(_) => {
                    let free = self.free_in(&scope, &block).await?;
                    let free: u128 = free.iter().map(Interval::len).sum();
                    u64::try_from(block.interval.len().saturating_sub(free)).ok()
                }
                None => None,
            };
            let text = |number| {
                prefix::address(&block.prefix, number).map_or(String::new(), |ip| ip.to_string())
            };
            infos.push(BlockInfo {
                network: block.network.to_string(),
                prefix: block.prefix.to_string(),
                first: text(block.interval.lo),
                last: text(block.interval.hi),
                partition: block.partition.to_string(),
                addresses: u64::try_from(block.interval.len()).unwrap_or(u64::MAX),
                used,
                id: block.id,
            });
        }
        Ok(infos)
    }

    /// Takes what is free of a block from its owner, and gives it back to the network; what is
    /// handed out stays the owner's, in smaller blocks. The caller has made sure that the owner
    /// hands out nothing meanwhile: it learns of this when it looks next.
    ///
    /// # Errors
    /// 404 if there is no such block, 422 if it is not known here what the owner has handed out, or
    /// nothing of it is free, or it is in too many pieces.
    pub(crate) async fn revoke_block(&self, id: &str) -> Result<Vec<Interval>, ApiError> {
        let blocks = self.table::<Block>(&Scope::Global);
        let mut retry = Retry::new("revokeBlock");
        loop {
            let Some(seen) = blocks.get(id, Self::READ).await? else {
                return Err(ApiError::no_entity("block", id));
            };
            let block = seen.value.clone();
            let scope = self.scope(Some(&block.partition))?;
            let taken = self.table::<Block>(&scope).get(id, Self::READ).await?;
            if taken.is_none_or(|taken| taken.value.token != block.token) {
                return Err(ApiError::refused(format!(
                    "what partition {:?} has handed out of block {id} is not known here",
                    block.partition.as_str()
                )));
            }
            let free = self.free_in(&scope, &block).await?;
            let kept = without(block.interval, &free);
            if free.is_empty() || free.len() + kept.len() > PARTS {
                return Err(ApiError::refused(match free.is_empty() {
                    true => format!("nothing of block {id} is free"),
                    false => format!(
                        "block {id} is in {} pieces, at the most {PARTS} can be revoked at once",
                        free.len() + kept.len()
                    ),
                }));
            }
            let release = |interval: &Interval| Move::Release {
                pool: pool_of(block.prefix),
                interval: *interval,
            };
            // The rest is released and acquired anew, so that the pool counts each piece.
            let acquire = |interval: &Interval| Move::Acquire {
                pool: pool_of(block.prefix),
                want: Want::Range(*interval),
            };
            let moves = std::iter::once(release(&block.interval))
                .chain(kept.iter().map(acquire))
                .collect();
            let pieces: Vec<_> = kept.iter().map(|kept| piece(&block, *kept)).collect();
            let with = move |_: &[Interval], batch: &mut Batch| {
                match pieces.iter().find(|piece| piece.id == seen.value.id) {
                    Some(same) => batch.replace(&seen, same)?,
                    None => batch.delete(&seen)?,
                };
                for piece in pieces.iter().filter(|piece| piece.id != seen.value.id) {
                    batch.insert(piece)?;
                }
                Ok(())
            };
            match self.apply(&Scope::Global, moves, with).await {
                Ok(_) => {
                    tracing::warn!(block = id, partition = %block.partition, "a block was revoked");
                    self.mend_blocks(&scope).await?;
                    return Ok(free);
                }
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A partition has taken in a block that is not its own any more: it keeps what it owns of it,
    /// and what it has handed out.
    pub(super) async fn disown(
        &self,
        scope: &Scope,
        taken: &Block,
        owned: &[Block],
    ) -> Result<(), ApiError> {
        let own: Vec<_> = owned
            .iter()
            .filter(|own| own.prefix == taken.prefix && taken.interval.covers(&own.interval))
            .collect();
        let intervals: Vec<_> = own.iter().map(|own| own.interval).collect();
        let blocks = self.table::<Block>(scope);
        let Some(seen) = blocks.get(&taken.id, Self::READ).await? else {
            return Ok(());
        };
        let free = self.free_in(scope, taken).await?;
        let lost = without(taken.interval, &intervals);
        let shrinks: Vec<_> = free
            .iter()
            .flat_map(|free| lost.iter().filter_map(|lost| free.common(lost)))
            .map(|interval| Move::Shrink {
                pool: pool_of(taken.prefix),
                interval,
            })
            .collect();
        for lost in &lost {
            for used in without(*lost, &free) {
                tracing::error!(
                    %scope, block = taken.id, addresses = shown(&pool_of(taken.prefix), &used),
                    "addresses of a revoked block are handed out here: free them, others may have them, too"
                );
            }
        }
        let new: Vec<Block> = own.into_iter().cloned().collect();
        let with = move |_: &[Interval], batch: &mut Batch| {
            batch.insert(&gone(&seen.value))?;
            match new.iter().find(|new| new.id == seen.value.id) {
                Some(same) => batch.replace(&seen, same)?,
                None => batch.delete(&seen)?,
            };
            for new in new.iter().filter(|new| new.id != seen.value.id) {
                batch.insert(new)?;
            }
            Ok(())
        };
        if shrinks.is_empty() {
            let mut batch = Batch::new(scope.clone());
            with(&[], &mut batch)?;
            commit(self.store(scope), batch).await?;
            return Ok(());
        }
        match self.apply(scope, shrinks, with).await {
            // Somebody was faster; the next look finds the rest.
            Ok(_) | Err(IpamError::Conflict(_) | IpamError::Taken { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What is free of a block in its owner's pool.
    async fn free_in(&self, scope: &Scope, block: &Block) -> Result<Vec<Interval>, ApiError> {
        self.free(scope, &pool_of(block.prefix), block.interval)
            .await
    }
}

fn piece(block: &Block, interval: Interval) -> Block {
    Block {
        id: Block::id_of(block.prefix, interval.hi),
        interval,
        token: Uuid::new_v4(),
        ..block.clone()
    }
}

/// What is left of an interval without those.
fn without(interval: Interval, those: &[Interval]) -> Vec<Interval> {
    difference(vec![interval], those.to_vec())
}
