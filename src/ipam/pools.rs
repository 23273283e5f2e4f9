use std::sync::Arc;

use metal_storage::{Entity, Filter, Key, Name, Query, Read, Result, Scope, Store, Table};

use super::check::Check;
use super::{Flaw, FlawKind, Free, Interval, IpamError, Pool, PoolId};

/// How often a pool is read that is changed meanwhile.
const CHECKS: u32 = 20;

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

    /// Free intervals of a pool from the lowest on: at most `limit` of those above `after`. For
    /// lists of free prefixes. Costs O(log n) and the number given.
    ///
    /// # Errors
    /// As [`Store::list`]; [`Invalid`](metal_storage::Error::Invalid) for a limit out of bounds.
    pub async fn free(
        &self,
        pool: &PoolId,
        after: Option<u128>,
        limit: usize,
        read: Read,
    ) -> Result<Vec<Interval>> {
        let mut query = self.query(Free::prefix(pool));
        query.after = after.map(|hi| Free::key(pool, hi));
        query.limit = limit;
        let page = self.heads.store().list(&query, read).await?;
        if let Some(error) = page.unreadable.into_iter().next() {
            return Err(error);
        }
        let free = page.records.iter().map(|stored| Free::of(&stored.value));
        free.map(|free| free.map(|free| free.interval)).collect()
    }

    /// Whether every pool is as it must be: heads and free intervals agree, these are disjoint and
    /// merged, none is without a head. Others may change pools meanwhile. Linear in the number of
    /// pools and free intervals; memory for one page.
    ///
    /// # Errors
    /// As [`Store::list`], and [`TooBusy`](IpamError::TooBusy) for a pool that is changed each time
    /// while it is read.
    pub async fn check(&self) -> Result<Vec<Flaw>, IpamError> {
        let mut flaws = Vec::new();
        for pool in self.heads.list(Filter::all(), Read::Latest).await? {
            flaws.extend(self.check_pool(&pool.value.id).await?);
        }
        let mut query = self.query(String::new());
        query.limit = 1;
        loop {
            let page = self.heads.store().list(&query, Read::Latest).await?;
            let Some(found) = page.records.first() else {
                return Ok(flaws);
            };
            let id = found.value.key.id();
            let pool = id.rsplit_once('#').map_or(id, |(pool, _)| pool);
            if self.heads.get(pool, Read::Latest).await?.is_none()
                && self.exists(&found.value.key).await?
            {
                let pool = pool.to_owned();
                let kind = FlawKind::NoHead;
                flaws.push(Flaw { pool, kind });
            }
            // After every interval of this pool, and before those of any other.
            query.after = Some(format!("{pool}#~"));
        }
    }

    async fn check_pool(&self, pool: &PoolId) -> Result<Vec<Flaw>, IpamError> {
        for _ in 0..CHECKS {
            let Some(before) = self.heads.get(pool.as_str(), Read::Latest).await? else {
                return Ok(vec![]);
            };
            let mut check = Check::new(&before.value);
            let mut query = self.query(Free::prefix(pool));
            loop {
                let page = self.heads.store().list(&query, Read::Latest).await?;
                if let Some(error) = page.unreadable.into_iter().next() {
                    return Err(error.into());
                }
                for stored in &page.records {
                    check.next(&stored.value);
                }
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            let after = self.heads.get(pool.as_str(), Read::Latest).await?;
            if after.is_some_and(|after| after.version == before.version) {
                return Ok(check.end());
            }
        }
        let text = format!("pool {pool} was changed each time while it was read");
        Err(IpamError::TooBusy(text))
    }

    async fn exists(&self, key: &Key) -> Result<bool> {
        let found = self.heads.store().get(key, Read::Latest).await?;
        Ok(found.is_some())
    }

    fn query(&self, prefix: String) -> Query {
        let table = Name::from_static(Free::SCHEMA.table());
        let mut query = Query::new(self.heads.scope().clone(), table);
        query.prefix = prefix;
        query
    }
}
