//! A store that may be out of reach when the node starts.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_stream::stream;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use metal_storage::{
    Batch, BoxStream, Change, Error, Key, Page, Query, Read, Record, Result, Revision, Scope,
    Stats, Store, Stored,
};
use tokio::time::timeout;

use super::{Engine, Facts, Mode};
use crate::config::{DataDir, StoreSettings};
use crate::schemas;

/// How long the start of the node waits for it.
const FIRST: Duration = Duration::from_secs(3);
/// From one try to the next; twice as long after each.
const WAIT: Duration = Duration::from_millis(500);
/// And at most this long.
const WAIT_MOST: Duration = Duration::from_secs(10);

/// Answers [`Unavailable`](Error::Unavailable) until it is open, and then as the store does.
pub(super) struct Late {
    settings: StoreSettings,
    directory: DataDir,
    open: OnceLock<Arc<dyn Engine>>,
    /// Why it is not open.
    cause: Mutex<String>,
}

// === impl Late ===

impl Late {
    pub(super) async fn new(settings: StoreSettings, directory: DataDir) -> Arc<Self> {
        let late = Self {
            settings,
            directory,
            open: OnceLock::new(),
            cause: Mutex::new("it has not answered yet".to_owned()),
        };
        // What it takes longer is waited for in `keep_trying`.
        let _ = timeout(FIRST, late.attempt()).await;
        Arc::new(late)
    }

    /// Opens it, however often that fails. Never ends, as a task of the node must not.
    pub(super) async fn keep_trying(self: Arc<Self>) {
        let mut wait = WAIT;
        while self.open.get().is_none() {
            if self.attempt().await {
                tracing::info!(store = %self.settings.url, "the global store answers");
                break;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_MOST);
        }
        std::future::pending::<()>().await;
    }

    async fn attempt(&self) -> bool {
        match super::open::open(&self.settings, &self.directory, Mode::Migrate).await {
            Ok(store) => {
                let records = Arc::clone(&store) as Arc<dyn Store>;
                schemas::reindex(&records).await;
                // Only one opens it at a time.
                let _ = self.open.set(store);
                true
            }
            Err(error) => {
                let cause = match error {
                    Error::Unavailable { reason } => reason,
                    error => error.to_string(),
                };
                tracing::warn!(store = %self.settings.url, cause, "the global store cannot be opened");
                *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
                false
            }
        }
    }

    fn store(&self) -> Result<&Arc<dyn Engine>> {
        self.open.get().ok_or_else(|| Error::Unavailable {
            reason: self
                .cause
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        })
    }
}

impl Engine for Late {
    fn engine(&self) -> &'static str {
        super::open::engine(&self.settings.url)
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        match self.store() {
            Ok(store) => store.facts(),
            Err(_) => {
                let place = self.settings.url.to_string();
                async {
                    Facts {
                        version: None,
                        place,
                        bytes: None,
                    }
                }
                .boxed()
            }
        }
    }

    fn stats(&self) -> Stats {
        self.store().map(|store| store.stats()).unwrap_or_default()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        match self.store() {
            Ok(store) => store.close(),
            Err(_) => async {}.boxed(),
        }
    }
}

impl Store for Late {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> metal_storage::BoxFuture<'a, Result<Option<Stored<Record>>>> {
        match self.store() {
            Ok(store) => store.get(key, read),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn list<'a>(
        &'a self,
        query: &'a Query,
        read: Read,
    ) -> metal_storage::BoxFuture<'a, Result<Page>> {
        match self.store() {
            Ok(store) => store.list(query, read),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn commit(&self, batch: Batch) -> metal_storage::BoxFuture<'_, Result<Revision>> {
        match self.store() {
            Ok(store) => store.commit(batch),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        match self.store() {
            Ok(store) => store.watch(scope, since),
            Err(error) => stream! { yield Err(error) }.boxed(),
        }
    }
}
