//! Pools in memory: what each move gives, and what is refused.

mod addresses;
mod children;
mod extent;
mod flaws;
mod interval;
mod model;
mod nodes;
mod together;
mod view;

use std::sync::Arc;

use metal_storage::{Batch, Memory, Name, Query, Read, Scope, Store};

use super::{Allocator, Extra, Interval, Ipam, IpamError, Move, Pool, PoolId, Pools, Want};

/// A pool, and what one does with it.
struct Kit {
    allocator: Allocator,
    pools: Pools,
    pool: PoolId,
}

// === impl Kit ===

impl Kit {
    /// A pool of these values on a store of its own.
    async fn new(spans: &[Interval], reserved: &[Interval]) -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        Self::on(&store, spans, reserved).await
    }

    async fn on(store: &Arc<dyn Store>, spans: &[Interval], reserved: &[Interval]) -> Self {
        let ipam = Ipam::new(Arc::clone(store));
        let kit = Self {
            allocator: ipam.scope(&Scope::Global),
            pools: ipam.pools(&Scope::Global),
            pool: "net/internet".parse().unwrap(),
        };
        let create = Move::Create {
            pool: kit.pool.clone(),
            spans: spans.to_vec(),
            reserved: reserved.to_vec(),
        };
        kit.apply(create).await.unwrap();
        kit
    }

    async fn apply(&self, made: Move) -> Result<Option<Interval>, IpamError> {
        let applied = self
            .allocator
            .apply(vec![made], |_| Ok(Extra::default()))
            .await?;
        Ok(applied.intervals.first().copied())
    }

    async fn acquire(&self, want: Want) -> Result<Interval, IpamError> {
        let pool = self.pool.clone();
        let acquired = self.apply(Move::Acquire { pool, want }).await?;
        Ok(acquired.expect("an acquire gives an interval"))
    }

    async fn release(&self, interval: Interval) -> Result<(), IpamError> {
        let pool = self.pool.clone();
        self.apply(Move::Release { pool, interval }).await.map(drop)
    }

    /// The same pool, as another node reaches it.
    fn on_another_node(&self, store: &Arc<dyn Store>) -> Self {
        Self {
            allocator: Ipam::new(Arc::clone(store)).scope(&Scope::Global),
            pools: self.pools.clone(),
            pool: self.pool.clone(),
        }
    }

    async fn pool(&self) -> Pool {
        let pool = self.pools.get(&self.pool, Read::Latest).await.unwrap();
        pool.expect("the pool")
    }

    async fn free(&self) -> Vec<Interval> {
        let free = self.pools.free(&self.pool, None, 1000, Read::Latest);
        free.await.unwrap()
    }
}
