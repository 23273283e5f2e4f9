use std::sync::Arc;

use metal_storage::{Filter, Read, Result, Scope, Store, Table};

use super::{Pool, PoolId};

/// The pools of a scope, to be read.
#[derive(Clone, Debug)]
pub struct Pools {
    heads: Table<Pool>,
}

// === impl Pools ===

impl Pools {
    /// The pools of `scope`, kept by `store`.
    pub fn new(store: Arc<dyn Store>, scope: Scope) -> Self {
        Self {
            heads: Table::new(store, scope),
        }
    }

    /// The head of a pool: all that is counted of it. Costs O(log n).
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get(&self, pool: &PoolId, read: Read) -> Result<Option<Pool>> {
        let found = self.heads.get(pool.as_str(), read).await?;
        Ok(found.map(|stored| stored.value))
    }

    /// The heads of the pools whose names begin with `prefix`, ordered by name. Linear in these.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list(&self, prefix: &str, read: Read) -> Result<Vec<Pool>> {
        let found = self.heads.list(Filter::all().prefix(prefix), read).await?;
        Ok(found.into_iter().map(|stored| stored.value).collect())
    }
}
