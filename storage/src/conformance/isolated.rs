use std::sync::Arc;

use futures::StreamExt;
use uuid::Uuid;

use crate::{
    Batch, BoxFuture, BoxStream, Change, Error, Guard, Key, Page, Query, Read, Record, Result,
    Revision, Scope, ScopeName, Store, Stored, Write,
};

/// A store whose scopes are its own, on an engine that it shares with others: what is `global`
/// here is a partition with a name of its own there. So one server serves all tests at once, each
/// of which finds it empty.
#[derive(Clone)]
pub struct Isolated {
    store: Arc<dyn Store>,
    names: Names,
}

/// What the names of all its scopes begin with.
#[derive(Clone)]
struct Names(Arc<str>);

// === impl Isolated ===

impl Isolated {
    /// Scopes never used before, kept by this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self {
            store,
            names: Names(id[..16].into()),
        }
    }

    /// The same scopes, kept by another store on the same engine: one opened again.
    #[must_use]
    pub fn on(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            names: self.names.clone(),
        }
    }
}

impl Store for Isolated {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            let there = self.names.key(key, Names::there);
            match self.store.get(&there, read).await {
                Ok(found) => Ok(found.map(|stored| self.names.stored(stored))),
                Err(error) => Err(self.names.error(error)),
            }
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let there = Query {
                scope: self.names.there(&query.scope),
                ..query.clone()
            };
            match self.store.list(&there, read).await {
                Ok(page) => Ok(Page {
                    records: page
                        .records
                        .into_iter()
                        .map(|stored| self.names.stored(stored))
                        .collect(),
                    ..page
                }),
                Err(error) => Err(self.names.error(error)),
            }
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let guard = |guard| match guard {
                Guard::Absent(key) => Guard::Absent(self.names.key(&key, Names::there)),
                Guard::Version(key, version) => {
                    Guard::Version(self.names.key(&key, Names::there), version)
                }
            };
            let write = |write| self.names.write(write, Names::there);
            let there = Batch {
                op: batch.op,
                scope: self.names.there(&batch.scope),
                guards: batch.guards.into_iter().map(guard).collect(),
                writes: batch.writes.into_iter().map(write).collect(),
            };
            let result = self.store.commit(there).await;
            result.map_err(|error| self.names.error(error))
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let names = self.names.clone();
        let stream = self.store.watch(names.there(&scope), since);
        Box::pin(stream.map(move |change| {
            let write = |write| names.write(write, Names::here);
            match change {
                Ok(change) => Ok(Change {
                    writes: change.writes.into_iter().map(write).collect(),
                    ..change
                }),
                Err(error) => Err(names.error(error)),
            }
        }))
    }
}

// === impl Names ===

impl Names {
    fn there(&self, scope: &Scope) -> Scope {
        let name = |name: &str| ScopeName::try_from(format!("{}{name}", self.0).as_str());
        let name = |text: &str| name(text).expect("names of the suite's scopes are short");
        match scope {
            Scope::Global => Scope::Partition(name("")),
            Scope::Partition(partition) => Scope::Partition(name(&format!("-{partition}"))),
            Scope::Node(node) => Scope::Node(name(&format!("-{node}"))),
        }
    }

    /// What an engine answers with another's scope stays as it is, and is found wrong.
    fn here(&self, scope: &Scope) -> Scope {
        let name = |name: &ScopeName| {
            let name = name.as_str().strip_prefix(&*self.0)?;
            Some(name.strip_prefix('-').and_then(|name| name.try_into().ok()))
        };
        match scope {
            Scope::Partition(partition) => match name(partition) {
                Some(Some(partition)) => Scope::Partition(partition),
                Some(None) => Scope::Global,
                None => scope.clone(),
            },
            Scope::Node(node) => match name(node) {
                Some(Some(node)) => Scope::Node(node),
                _ => scope.clone(),
            },
            Scope::Global => Scope::Global,
        }
    }

    fn key(&self, key: &Key, scope: fn(&Self, &Scope) -> Scope) -> Key {
        Key::new(scope(self, key.scope()), key.table().clone(), key.id())
            .expect("the id was that of a key")
    }

    fn stored(&self, stored: Stored<Record>) -> Stored<Record> {
        let key = self.key(&stored.value.key, Self::here);
        Stored {
            value: Record {
                key,
                ..stored.value
            },
            version: stored.version,
        }
    }

    fn write(&self, write: Write, scope: fn(&Self, &Scope) -> Scope) -> Write {
        match write {
            Write::Put(record) => Write::Put(Record {
                key: self.key(&record.key, scope),
                ..record
            }),
            Write::Delete(key) => Write::Delete(self.key(&key, scope)),
        }
    }

    fn error(&self, error: Error) -> Error {
        match error {
            Error::Conflict(key) => Error::Conflict(self.key(&key, Self::here)),
            Error::Taken(mut index) => {
                index.scope = self.here(&index.scope);
                Error::Taken(index)
            }
            Error::Behind { scope, reached } => Error::Behind {
                scope: self.here(&scope),
                reached,
            },
            other => other,
        }
    }
}
