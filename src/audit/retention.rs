//! Out of the store again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metal_storage::{
    Batch, Entity, Error, Filter, Name, Query, Read, Result, Scope, Store, Stored, Table, Write,
};
use tokio::time::{MissedTickBehavior, interval};

use super::bucket::Bucket;
use super::entry::{Entry, position};
use crate::clock;

/// From one look at the buckets to the next.
const LOOK: Duration = Duration::from_secs(60);
/// Entries that are forgotten in one batch.
const CHUNK: usize = 100;
/// Of so many entries of known callers one of an unknown caller may be kept.
const UNKNOWN: u32 = 10;

/// Forgets the oldest entries, those that are too old or too many.
pub struct Retention {
    store: Arc<dyn Store>,
    scope: Scope,
    max_age: Duration,
    most: u32,
}

// === impl Retention ===

impl Retention {
    pub(super) fn new(
        (store, scope): (Arc<dyn Store>, Scope),
        max_age: Duration,
        most: u32,
    ) -> Self {
        Self {
            store,
            scope,
            max_age,
            most,
        }
    }

    /// Looks every minute. Several nodes may, at the same store.
    pub async fn run(self) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.pass(clock::wall()).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "forgotten from the audit trail"),
                Err(error) => tracing::warn!(%error, "the audit trail grows"),
            }
        }
    }

    /// Forgets what is too old or too much at `now`, and says how many entries that were. Costs a
    /// list of the buckets, which are few, and what is forgotten.
    pub(super) async fn pass(&self, now: DateTime<Utc>) -> Result<usize> {
        let buckets = Table::<Bucket>::new(Arc::clone(&self.store), self.scope.clone());
        let age = chrono::Duration::from_std(self.max_age).unwrap_or(chrono::Duration::MAX);
        let oldest = now
            .checked_sub_signed(age)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        let most = [(self.most / UNKNOWN).max(1), self.most];
        let mut kept = [0_u32; 2];
        let mut forgotten = 0;
        for bucket in buckets.list(Filter::all(), Read::Latest).await? {
            let kind = usize::from(bucket.value.known);
            if bucket.value.to < oldest || kept[kind] >= most[kind] {
                forgotten += self.forget(&bucket).await?;
            } else {
                kept[kind] = kept[kind].saturating_add(bucket.value.entries);
            }
        }
        Ok(forgotten)
    }

    /// Deletes the entries of a bucket, then the bucket: what was interrupted is found again.
    async fn forget(&self, bucket: &Stored<Bucket>) -> Result<usize> {
        let table = Name::from_static(Entry::SCHEMA.table());
        let mut query = Query::new(self.scope.clone(), table);
        query.after = Some(position(bucket.value.to));
        let last = position(bucket.value.from);
        let mut keys = Vec::new();
        loop {
            let page = self.store.list(&query, Read::Latest).await?;
            let mut beyond = false;
            for record in page.records {
                let key = record.value.key;
                beyond |= !key.id().starts_with(&last) && key.id() > last.as_str();
                let entry = serde_json::from_slice::<Entry>(&record.value.doc);
                if entry.is_ok_and(|entry| entry.bucket == bucket.value.id) {
                    keys.push(key);
                }
            }
            match page.next {
                Some(next) if !beyond => query.after = Some(next),
                _ => break,
            }
        }
        for chunk in keys.chunks(CHUNK) {
            let mut batch = Batch::new(self.scope.clone());
            batch
                .writes
                .extend(chunk.iter().cloned().map(Write::Delete));
            self.store.commit(batch).await?;
        }
        let mut batch = Batch::new(self.scope.clone());
        batch.delete(bucket)?;
        match self.store.commit(batch).await {
            // Another node did, or an entry came into it: it is looked at the next time.
            Ok(_) | Err(Error::Conflict(_)) => Ok(keys.len()),
            Err(error) => Err(error),
        }
    }
}
