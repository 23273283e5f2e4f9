//! Pools in memory: what each move gives, and what is refused.

mod addresses;
mod together;

use std::sync::Arc;

use metal_storage::{Batch, Memory, Name, Query, Read, Scope, Store};

use super::{Allocator, Extra, Interval, Ipam, IpamError, Move, PoolId, Want};

/// A pool, and what one does with it.
struct Kit {
    allocator: Allocator,
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
        let kit = Self {
            allocator: Ipam::new(Arc::clone(store)).scope(&Scope::Global),
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
}
