use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Error, Key, Memory, Page, Query, Read, Record, Result,
    Revision, Scope, Store, Stored,
};

/// How many commits are still made; below zero, nothing is answered any more.
pub(super) type Life = Arc<AtomicI64>;

/// A store that dies after so many commits.
pub(super) struct Mortal {
    store: Arc<Memory>,
    life: Life,
    /// Whether the last commit happens, and only its answer is lost.
    last_happens: bool,
}

// === impl Mortal ===

impl Mortal {
    pub(super) fn new(store: &Arc<Memory>, life: &Life, last_happens: bool) -> Self {
        Self {
            store: Arc::clone(store),
            life: Arc::clone(life),
            last_happens,
        }
    }

    fn alive(&self) -> Result<()> {
        match self.life.load(Ordering::SeqCst) {
            0.. => Ok(()),
            _ => Err(dead()),
        }
    }
}

fn dead() -> Error {
    Error::Unavailable {
        reason: "it is dead".into(),
    }
}

impl Store for Mortal {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            // A replica is at hand.
            if read != Read::Stale {
                self.alive()?;
            }
            self.store.get(key, read).await
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            if read != Read::Stale {
                self.alive()?;
            }
            self.store.list(query, read).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            self.alive()?;
            if self.life.fetch_sub(1, Ordering::SeqCst) > 0 {
                return self.store.commit(batch).await;
            }
            if self.last_happens {
                let _ = self.store.commit(batch).await;
            }
            Err(dead())
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.store.watch(scope, since)
    }
}
