//! What keeps blocks at hand and finishes what was left unfinished.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use metal_storage::{Filter, Scope, Stored};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};

use super::super::ApiError;
use super::super::records::Records;
use super::blocks::block_size;
use super::pools::pool_of;
use super::{Block, Claim, ClaimState, Fence, Space};
use crate::clock;
use crate::domain::{Network, Project};
use crate::ipam::Want;

/// Between two looks at everything.
const PERIOD: Duration = Duration::from_secs(60);

/// A plan that takes longer was left by a node that has gone. Nothing goes wrong if it was not:
/// fences keep it from being carried on.
const ABANDONED: TimeDelta = TimeDelta::minutes(10);

/// A fence that is older keeps nobody any more.
const OUTLIVED: TimeDelta = TimeDelta::hours(24);

/// The task behind a [`Space`].
pub struct Upkeep {
    space: Space,
    hints: mpsc::Receiver<String>,
}

// === impl Upkeep ===

impl Upkeep {
    pub(super) fn new(space: Space, hints: mpsc::Receiver<String>) -> Self {
        Self { space, hints }
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut ticks = interval_at(Instant::now(), PERIOD);
        // What this node was at when it ended, it is at no more.
        let mut abandoned = TimeDelta::zero();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let mended = self.space.mend(abandoned).await;
                    abandoned = ABANDONED;
                    if let Err(error) = mended {
                        tracing::warn!(%error, "networks and blocks were not looked through");
                    }
                }
                Some(network) = self.hints.recv() => {
                    // Every address that is handed out says so: one look serves all that wait.
                    let mut networks = BTreeSet::from([network]);
                    while let Ok(another) = self.hints.try_recv() {
                        networks.insert(another);
                    }
                    for network in networks {
                        if let Err(error) = self.space.prefetch(&network).await {
                            tracing::warn!(network, %error, "no block was claimed ahead");
                        }
                    }
                }
            }
        }
    }
}

// === impl Space ===

impl Space {
    /// Says that few addresses of a global network are left here. Lost if many say so at once: the
    /// next one says it again.
    pub(crate) fn is_low(&self, network: &str) {
        let _ = self.0.hints.try_send(network.to_owned());
    }

    /// Claims a block of every prefix of a network of which this partition has less than half a
    /// block free.
    pub(crate) async fn prefetch(&self, network: &str) -> Result<(), ApiError> {
        let Some(network) = self.fact::<Network>(network).await? else {
            return Ok(());
        };
        let network = network.value;
        let pools = self.pools(&self.home_scope()?);
        // Requests that find none left meanwhile wait for this block instead of asking for another.
        let mut failed = self.claiming().await;
        for prefix in network.prefixes.iter() {
            let pool = pools.get(&pool_of(prefix), Self::READ).await?;
            let size = block_size(prefix);
            if pool.is_some_and(|pool| pool.counters.free < size.div_ceil(2)) {
                let claimed = self.claim_block(&network.id, prefix, Want::UpTo(size));
                let claimed = claimed.await;
                *failed = claimed.is_err().then(Instant::now);
                claimed?;
            }
        }
        Ok(())
    }

    /// Finishes or undoes what was left: claims whose plans are that old, blocks, fences.
    ///
    /// # Errors
    /// The first that could not be looked at; the others are, too.
    pub(crate) async fn mend(&self, abandoned: TimeDelta) -> Result<(), ApiError> {
        let claims = self.mend_claims(abandoned).await;
        let mut others = self.mend_fences(&Scope::Global).await;
        for scope in self.partitions().await? {
            others = others.and(self.mend_blocks(&scope).await);
            others = others.and(self.return_idle(&scope).await);
            others = others.and(self.keep_vrfs(&scope).await);
            others = others.and(self.mend_fences(&scope).await);
        }
        claims.and(others)
    }

    async fn mend_claims(&self, abandoned: TimeDelta) -> Result<(), ApiError> {
        let claims = self.table::<Claim>(&Scope::Global);
        let mut worst = Ok(());
        for claim in claims.list(Filter::all(), Self::READ).await? {
            let claim = claim.value;
            let network = claim.network.as_str();
            let left = match claim.state {
                ClaimState::Pending | ClaimState::Releasing => {
                    clock::wall() - claim.since >= abandoned
                }
                // Only of a backup of which the one scope is older than the other.
                ClaimState::Held => {
                    let scope = self.scope(claim.partition.as_ref())?;
                    let networks = self.table::<Network>(&scope);
                    networks.get(network, Self::READ).await?.is_none()
                }
            };
            if left {
                let state = claim.state.as_str();
                tracing::warn!(network, state, "a plan was left unfinished and is settled");
                worst = worst.and(self.settle(&claim).await);
            }
        }
        worst
    }

    /// Holds what a partition has taken in against what it owns.
    pub(crate) async fn mend_blocks(&self, scope: &Scope) -> Result<(), ApiError> {
        let Scope::Partition(name) = scope else {
            return Ok(());
        };
        let blocks = self.table::<Block>(scope);
        for Stored { value: block, .. } in blocks.list(Filter::all(), Self::READ).await? {
            if block.returning {
                self.finish_return(scope, &block).await?;
            }
        }
        let global = self.table::<Block>(&Scope::Global);
        let owned = global
            .list(Filter::eq("partition", name.as_str()), Self::READ)
            .await?;
        let owned: Vec<Block> = owned.into_iter().map(|block| block.value).collect();
        let mine: BTreeSet<_> = owned.iter().map(|block| block.token).collect();
        for Stored { value: block, .. } in blocks.list(Filter::all(), Self::READ).await? {
            if block.returning || mine.contains(&block.token) {
                continue;
            }
            // It may have been claimed a moment ago.
            let now = global.get(&block.id, Self::READ).await?;
            if now.is_none_or(|now| now.value.token != block.token) {
                self.disown(scope, &block, &owned).await?;
            }
        }
        let taken = blocks.list(Filter::all(), Self::READ).await?;
        let known: BTreeSet<_> = taken.iter().map(|block| block.value.token).collect();
        for block in owned.iter().filter(|block| !known.contains(&block.token)) {
            self.take_in(scope, block).await?;
        }
        Ok(())
    }

    /// Gives blocks back of which nothing is handed out, as long as two are left that are free.
    pub(crate) async fn return_idle(&self, scope: &Scope) -> Result<(), ApiError> {
        let pools = self.pools(scope);
        for Stored { value: block, .. } in self
            .table::<Block>(scope)
            .list(Filter::all(), Self::READ)
            .await?
        {
            let pool = pools.get(&pool_of(block.prefix), Self::READ).await?;
            let Some(pool) = pool else {
                continue;
            };
            let kept = block_size(block.prefix).saturating_mul(2);
            if pool.counters.free >= kept.saturating_add(block.interval.len()) {
                self.return_block(scope, &block).await?;
            }
        }
        Ok(())
    }

    async fn mend_fences(&self, scope: &Scope) -> Result<(), ApiError> {
        let fences = self.table::<Fence>(scope);
        let projects = Records::<Project>::new(self.store(&Scope::Global));
        for fence in fences.list(Filter::all(), Self::READ).await? {
            let age = clock::wall() - fence.value.since;
            let id = &fence.value.id;
            let outlived = match id.strip_prefix("project/") {
                // Its project was not deleted in the end, or there is one of that id again.
                Some(project) => age > ABANDONED && projects.find(project).await?.is_some(),
                None => age > OUTLIVED,
            };
            if outlived {
                self.drop_fence(scope, id).await?;
            }
        }
        Ok(())
    }
}
