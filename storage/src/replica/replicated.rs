use std::sync::Arc;

use super::Replica;
use crate::batch::Batch;
use crate::change::Change;
use crate::error::Result;
use crate::key::Key;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::store::{BoxFuture, BoxStream, Read, Store};

/// An authority and a [`Replica`] of one of its scopes, as one store.
///
/// [`Read::Stale`] is answered by the replica as soon as that has a copy, whether or not the
/// authority can be reached; [`Read::AtLeast`] by the replica if it has the revision already;
/// everything else, and every other scope, by the authority. What the replica cannot read the
/// authority is asked for.
#[derive(Clone)]
pub struct Replicated {
    authority: Arc<dyn Store>,
    replica: Arc<Replica>,
}

// === impl Replicated ===

impl Replicated {
    /// `replica` is one of `authority`.
    pub fn new(authority: Arc<dyn Store>, replica: Arc<Replica>) -> Self {
        Self { authority, replica }
    }

    /// The replica.
    pub fn replica(&self) -> &Arc<Replica> {
        &self.replica
    }

    fn is_here(&self, scope: &Scope, read: Read) -> bool {
        let held = self.replica.status().revision;
        scope == self.replica.scope()
            && match read {
                Read::Latest => false,
                Read::AtLeast(revision) => held >= Some(revision),
                Read::Stale => held.is_some(),
            }
    }
}

impl Store for Replicated {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            if self.is_here(key.scope(), read)
                && let Ok(found) = self.replica.get(key, read).await
            {
                return Ok(found);
            }
            self.authority.get(key, read).await
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            if self.is_here(&query.scope, read)
                && let Ok(page) = self.replica.list(query, read).await
            {
                return Ok(page);
            }
            self.authority.list(query, read).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.authority.commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.authority.watch(scope, since)
    }
}
