//! A store on a server, and a replica of its global scope in the data directory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{
    Batch, BoxStream, Change, Error, Key, Page, Query, Read, Record, Replica, ReplicaOptions,
    Replicated, Result, Revision, Scope, Stats, Store, Stored,
};
use tokio::time::timeout;

use super::{Engine, Facts, Late, stale};
use crate::config::DataDir;
use crate::schemas;

/// How long the authority is waited for before the replica answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long it is then not waited for again, unless it answers somebody else meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers as the authority does; while that is away, reads of [requests that change
/// nothing](stale::allowed) are answered by the replica.
pub(super) struct Standby {
    authority: Arc<Late>,
    store: Replicated,
    fell_back: AtomicU64,
    /// When the authority was found away, if it has not answered since.
    away: Mutex<Option<Instant>>,
}

// === impl Standby ===

impl Standby {
    /// Opens the replica that is there, or will be.
    ///
    /// # Errors
    /// Why its file cannot be used.
    pub(super) async fn new(authority: Arc<Late>, directory: &DataDir) -> Result<Arc<Self>> {
        let options = ReplicaOptions::new(directory.replica());
        let store = Arc::clone(&authority) as Arc<dyn Store>;
        let scope = Scope::Global;
        let replica = Replica::open(Arc::clone(&store), scope, schemas::ALL, options).await?;
        Ok(Arc::new(Self {
            authority,
            store: Replicated::new(store, Arc::new(replica)),
            fell_back: AtomicU64::new(0),
            away: Mutex::new(None),
        }))
    }

    pub(super) fn replica(&self) -> &Arc<Replica> {
        self.store.replica()
    }

    /// Reads that were answered by the replica because the authority was away.
    pub(super) fn fell_back(&self) -> u64 {
        self.fell_back.load(Ordering::Relaxed)
    }

    async fn or_stale<T>(
        &self,
        read: Read,
        scope: &Scope,
        answer: impl Future<Output = Result<T>>,
        old: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if read != Read::Latest || *scope != Scope::Global || !stale::is_allowed() {
            return self.heard(answer.await);
        }
        let asked = match self.is_away() {
            true => None,
            false => timeout(PATIENCE, answer).await.ok(),
        };
        let error = match asked {
            Some(Err(error @ Error::Unavailable { .. })) => error,
            Some(answered) => return self.heard(answered),
            None => Error::Unavailable {
                reason: "it does not answer".to_owned(),
            },
        };
        self.away().get_or_insert_with(Instant::now);
        let status = self.replica().status();
        match old.await {
            Ok(found) => {
                tracing::debug!(%error, ?status, "answered by the replica");
                self.fell_back.fetch_add(1, Ordering::Relaxed);
                stale::used(status);
                Ok(found)
            }
            Err(_) => Err(error),
        }
    }

    /// Whether the authority was away a moment ago; then it is time to ask it again.
    fn is_away(&self) -> bool {
        let mut away = self.away();
        let lately = away.is_some_and(|since| since.elapsed() < PAUSE);
        if !lately {
            *away = None;
        }
        lately
    }

    /// The authority has answered.
    fn heard<T>(&self, answer: Result<T>) -> Result<T> {
        if !matches!(answer, Err(Error::Unavailable { .. } | Error::Unknown(_))) {
            *self.away() = None;
        }
        answer
    }

    fn away(&self) -> MutexGuard<'_, Option<Instant>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Standby {
    fn engine(&self) -> &'static str {
        self.authority.engine()
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        self.authority.facts()
    }

    fn stats(&self) -> Stats {
        self.authority.stats()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            self.replica().close().await;
            self.authority.close().await;
        }
        .boxed()
    }
}

impl Store for Standby {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> metal_storage::BoxFuture<'a, Result<Option<Stored<Record>>>> {
        let old = self.replica().get(key, Read::Stale);
        let answer = self.store.get(key, read);
        self.or_stale(read, key.scope(), answer, old).boxed()
    }

    fn list<'a>(
        &'a self,
        query: &'a Query,
        read: Read,
    ) -> metal_storage::BoxFuture<'a, Result<Page>> {
        let old = self.replica().list(query, Read::Stale);
        let answer = self.store.list(query, read);
        self.or_stale(read, &query.scope, answer, old).boxed()
    }

    fn commit(&self, batch: Batch) -> metal_storage::BoxFuture<'_, Result<Revision>> {
        async { self.heard(self.store.commit(batch).await) }.boxed()
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.store.watch(scope, since)
    }
}
