use metal_storage::{Entity, Schema, Value};
use serde::{Deserialize, Serialize};

use super::{Counters, Interval, PoolId, decimal};

/// The head of a pool. Every change of the pool rewrites it under a guard of its version: so what
/// was read of the pool is right as long as the head has the version read before, all changes of
/// a pool have one order, and a head that was deleted while nothing was acquired is a pool from
/// which nobody acquires beside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub id: PoolId,
    /// The values that it consists of: disjoint, in order, merged where they touch.
    pub spans: Vec<Interval>,
    /// Those of them that are never handed out, such as the broadcast address: the same.
    pub reserved: Vec<Interval>,
    /// How many values it consists of, with those reserved.
    #[serde(with = "decimal")]
    pub size: u128,
    /// Sums over what is free.
    pub counters: Counters,
    /// What is acquired and not released, each one or block or range counted as one.
    pub acquired: u64,
}

// === impl Pool ===

impl Pool {
    /// Values that are never handed out.
    pub fn reserved(&self) -> u128 {
        self.reserved.iter().map(Interval::len).sum()
    }

    /// Values that are acquired.
    pub fn used(&self) -> u128 {
        let out = self.size.checked_sub(self.counters.free);
        out.and_then(|out| out.checked_sub(self.reserved()))
            .unwrap_or_default()
    }

    /// Whether it consists of these values, among others.
    pub fn spans(&self, interval: &Interval) -> bool {
        self.spans.iter().any(|span| span.covers(interval))
    }
}

impl Entity for Pool {
    const SCHEMA: Schema = Schema::new("pool", &[]);

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}
