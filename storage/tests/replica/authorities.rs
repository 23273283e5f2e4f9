//! Authorities that are not what they were.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Error, Key, Memory, Page, Query, Read, Record, Result,
    Revision, Scope, Store, Stored,
};

use crate::kit::{delete, put};

/// An authority that can be replaced by another, or taken away, beneath its followers.
pub struct Switch {
    now: Mutex<Option<Arc<dyn Store>>>,
}

// === impl Switch ===

impl Switch {
    pub fn to(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(Some(store)),
        })
    }

    /// From now on it is another, or away.
    pub fn set(&self, store: Option<Arc<dyn Store>>) {
        *self.now.lock().unwrap() = store;
    }

    fn now(&self) -> Result<Arc<dyn Store>> {
        self.now.lock().unwrap().clone().ok_or(Error::Unavailable {
            reason: "it is away".into(),
        })
    }
}

impl Store for Switch {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move { self.now()?.get(key, read).await })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move { self.now()?.list(query, read).await })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move { self.now()?.commit(batch).await })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        match self.now() {
            Ok(store) => store.watch(scope, since),
            Err(error) => Box::pin(futures::stream::iter([Err(error)])),
        }
    }
}

/// An authority that is written to whenever a page of it is read: before, and before the answer.
#[derive(Default)]
pub struct Busy {
    pub store: Memory,
    round: AtomicU64,
    rests: AtomicBool,
}

// === impl Busy ===

impl Busy {
    /// No more writes of its own.
    pub fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }

    /// Names wander from record to record, and records come and go.
    async fn write(&self) {
        if self.rests.load(Ordering::SeqCst) {
            return;
        }
        let round = self.round.fetch_add(1, Ordering::SeqCst);
        let id = |factor: u64| (round * factor % 200).to_string();
        let (a, b, c) = (id(67), id(29), id(131));
        let wandering = put(&b, "wandering");
        for batch in [delete(&a), wandering, delete(&b), put(&c, "wandering")] {
            self.store.commit(batch).await.unwrap();
        }
        let name = format!("of {round}");
        self.store.commit(put(&c, name.as_str())).await.unwrap();
        // Whoever follows is told before the page is there.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

impl Store for Busy {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        self.store.get(key, read)
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            self.write().await;
            let page = self.store.list(query, read).await;
            self.write().await;
            page
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.store.commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.store.watch(scope, since)
    }
}
