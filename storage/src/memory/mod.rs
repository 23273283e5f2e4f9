//! The model that every other backend is tested against: as simple as can be, nothing on disk.

mod scope;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_stream::stream;

use self::scope::Contents;
use crate::batch::Batch;
use crate::change::Change;
use crate::error::Result;
use crate::heads::Heads;
use crate::key::Key;
use crate::limits::{HISTORY_REVISIONS, REVISION_WAIT};
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::store::{BoxFuture, BoxStream, Read, Store};

/// A store in memory, for tests and as the model of the others. Nothing survives it.
///
/// Costs: `get` O(log n), `list` and each write of a record with a unique column O(n).
#[derive(Clone, Debug)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    scopes: Mutex<HashMap<Scope, Contents>>,
    heads: Heads,
    history: u64,
}

// === impl Memory ===

impl Memory {
    /// An empty store that remembers the last [`HISTORY_REVISIONS`] of each scope.
    pub fn new() -> Self {
        Self::with_history(HISTORY_REVISIONS)
    }

    /// An empty store that remembers this many revisions of each scope, at least one.
    pub fn with_history(revisions: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                scopes: Mutex::default(),
                heads: Heads::new(REVISION_WAIT),
                history: revisions.max(1),
            }),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Memory {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            self.shared.reach(key.scope(), read).await?;
            let scopes = self.shared.lock();
            Ok(scopes.get(key.scope()).and_then(|scope| scope.get(key)))
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            query.check()?;
            self.shared.reach(&query.scope, read).await?;
            let scopes = self.shared.lock();
            Ok(match scopes.get(&query.scope) {
                Some(scope) => scope.list(query),
                None => Contents::default().list(query),
            })
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            batch.check()?;
            let scope = batch.scope.clone();
            let mut scopes = self.shared.lock();
            let contents = scopes.entry(scope.clone()).or_default();
            let revision = contents.commit(batch, self.shared.history)?;
            self.shared.heads.advance(&scope, revision);
            Ok(revision)
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(stream! {
            let mut head = match shared.heads.reach(&scope, since).await {
                Ok(head) => head,
                Err(error) => {
                    yield Err(error);
                    return;
                }
            };
            let mut seen = since;
            loop {
                let next = match shared.lock().get(&scope) {
                    Some(contents) => contents.after(seen),
                    None => Ok(None),
                };
                match next {
                    Ok(Some(change)) => {
                        seen = change.revision;
                        yield Ok(change);
                    }
                    Ok(None) => {
                        // Held by `shared`, so the sender outlives the wait.
                        let _ = head.wait_for(|now| *now > seen).await;
                    }
                    Err(error) => {
                        yield Err(error);
                        return;
                    }
                }
            }
        })
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Scope, Contents>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reach(&self, scope: &Scope, read: Read) -> Result<()> {
        match read {
            Read::AtLeast(revision) => self.heads.reach(scope, revision).await.map(drop),
            Read::Latest | Read::Stale => Ok(()),
        }
    }
}
