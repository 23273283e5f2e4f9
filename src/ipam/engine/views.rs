use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use metal_storage::{
    Batch, Entity, Key, Name, Query, Read, Result, Scope, Store, Table, Value, Version,
};

use crate::ipam::free_set::Miss;
use crate::ipam::limits::{PAGE, POOLS};
use crate::ipam::sheet::Share;
use crate::ipam::view::View;
use crate::ipam::{Free, Metrics, Pool, PoolId};

/// The pools that are remembered, and how to read what is not.
pub(super) struct Views {
    store: Arc<dyn Store>,
    scope: Scope,
    cached: HashMap<PoolId, Cached>,
    /// Those that the batch in the making may have changed.
    touched: BTreeSet<PoolId>,
    /// Counts the uses.
    clock: u64,
    metrics: Metrics,
}

struct Cached {
    view: View,
    used: u64,
}

// === impl Views ===

impl Views {
    pub fn new(store: Arc<dyn Store>, scope: Scope, metrics: Metrics) -> Self {
        Self {
            store,
            scope,
            cached: HashMap::new(),
            touched: BTreeSet::new(),
            clock: 0,
            metrics,
        }
    }

    /// The scope of the pools.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A pool as it is known; reads its head if that is not remembered.
    pub async fn open(&mut self, pool: &PoolId) -> Result<&mut View> {
        self.clock += 1;
        if !self.cached.contains_key(pool) {
            self.metrics.reads.inc();
            let stored = self.heads().get(pool.as_str(), Read::Latest).await?;
            let view = View::new(pool.clone(), stored);
            self.cached.insert(pool.clone(), Cached { view, used: 0 });
        }
        let cached = self.cached.get_mut(pool).expect("it was inserted");
        cached.used = self.clock;
        Ok(&mut cached.view)
    }

    /// Whether the head of an open pool still has the version that is known.
    pub async fn is_right(&self, pool: &PoolId) -> Result<bool> {
        self.metrics.reads.inc();
        let stored = self.heads().get(pool.as_str(), Read::Latest).await?;
        let known = self.cached.get(pool).map(|cached| cached.view.version());
        Ok(known == Some(stored.map(|stored| stored.version)))
    }

    /// Reads free intervals of an open pool.
    pub async fn load(&mut self, pool: &PoolId, miss: Miss) -> Result<()> {
        let mut query = Query::new(self.scope.clone(), Name::from_static(Free::SCHEMA.table()));
        query.limit = PAGE;
        let after = match miss {
            Miss::From(from) => {
                query.prefix = Free::prefix(pool);
                from.checked_sub(1)
            }
            Miss::Level(bits, until) => {
                let level = Value::from(Free::level(pool, bits));
                query.equal.push((Name::from_static(Free::FITS), level));
                until
            }
            Miss::Everything => return Ok(()),
        };
        query.after = after.map(|hi| Free::key(pool, hi));
        self.metrics.reads.inc();
        let page = self.store.list(&query, Read::Latest).await?;
        if let Some(error) = page.unreadable.into_iter().next() {
            return Err(error);
        }
        let free = page.records.iter().map(|stored| Free::of(&stored.value));
        let free = free.map(|free| free.map(|free| free.interval));
        let intervals = free.collect::<Result<Vec<_>>>()?;
        if let Some(cached) = self.cached.get_mut(pool) {
            cached.view.load(miss, &intervals, page.next.is_some());
        }
        Ok(())
    }

    /// Remembers how these are now.
    pub fn mark(&mut self, pools: &[PoolId]) {
        self.each(pools, View::mark);
    }

    /// These as they were at the last mark.
    pub fn undo(&mut self, pools: &[PoolId]) {
        self.each(pools, View::undo);
    }

    /// What was done to these is to be committed.
    pub fn keep(&mut self, pools: Vec<PoolId>) {
        self.touched.extend(pools);
    }

    /// What the changes add to a batch that are kept, or were made to these.
    pub fn share(&self, pools: &[PoolId]) -> Share {
        let kept = self.touched.iter();
        let others = pools.iter().filter(|pool| !self.touched.contains(*pool));
        let cached = kept.chain(others).filter_map(|pool| self.cached.get(pool));
        let changed = cached.filter(|cached| cached.view.is_changed());
        changed.fold(Share::default(), |share, cached| Share {
            guards: share.guards + 1,
            writes: share.writes + cached.view.writes(),
            bytes: share.bytes + cached.view.bytes(),
        })
    }

    /// Adds what is kept to a batch.
    pub fn write(&self, batch: &mut Batch) -> Result<()> {
        for pool in &self.touched {
            if let Some(cached) = self.cached.get(pool)
                && cached.view.is_changed()
            {
                cached.view.write(&self.scope, batch)?;
            }
        }
        Ok(())
    }

    /// What is kept was committed; gives the pools that it changed.
    pub fn committed(&mut self, version: Version) -> Vec<PoolId> {
        let mut changed = Vec::new();
        for pool in std::mem::take(&mut self.touched) {
            if let Some(cached) = self.cached.get_mut(&pool)
                && cached.view.is_changed()
            {
                cached.view.stored(version);
                changed.push(pool);
            }
        }
        changed
    }

    /// What is kept was not committed: every pool is as it is stored.
    pub fn reset(&mut self) {
        for pool in std::mem::take(&mut self.touched) {
            if let Some(cached) = self.cached.get_mut(&pool) {
                cached.view.reset();
            }
        }
    }

    /// It is not known whether what is kept was committed.
    pub fn doubt(&mut self) {
        for pool in std::mem::take(&mut self.touched) {
            self.cached.remove(&pool);
        }
    }

    /// What is known of a pool is outdated.
    pub fn forget(&mut self, pool: &str) {
        self.cached.retain(|id, _| id.as_str() != pool);
    }

    /// Forgets the pools that were not asked for the longest time, where there are too many.
    /// Nothing is kept now.
    pub fn evict(&mut self) {
        if self.cached.len() > POOLS {
            let mut used: Vec<u64> = self.cached.values().map(|cached| cached.used).collect();
            used.sort_unstable();
            let oldest = used[used.len() - POOLS / 2];
            self.cached.retain(|_, cached| cached.used >= oldest);
        }
    }

    /// The key of a pool's head.
    pub fn head_key(&self, pool: &PoolId) -> Option<Key> {
        self.heads().key(pool.as_str()).ok()
    }

    fn heads(&self) -> Table<Pool> {
        Table::new(Arc::clone(&self.store), self.scope.clone())
    }

    fn each(&mut self, pools: &[PoolId], act: fn(&mut View)) {
        for pool in pools {
            if let Some(cached) = self.cached.get_mut(pool) {
                act(&mut cached.view);
            }
        }
    }
}
