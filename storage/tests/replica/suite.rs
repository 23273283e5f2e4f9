//! The suite through a replica.

use std::sync::{Arc, OnceLock};

use metal_storage::conformance::{Backend, Isolated, SCHEMAS};
use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Key, Memory, Name, Page, Query, Read, Record, Replicated,
    Result, Revision, Scope, Sql, SqlOptions, Store, Stored,
};
use tempfile::TempDir;

use crate::kit::{Following, options};
use crate::postgres::Postgres;

/// Every read of the global scope is answered by the replica alone, once that has what the
/// authority had when it was asked: so the suite tells whether the two are the same.
struct Through {
    authority: Arc<dyn Store>,
    following: Following,
    _folder: TempDir,
}

// === impl Through ===

impl Through {
    async fn new(authority: Arc<dyn Store>) -> Self {
        let folder = TempDir::new().unwrap();
        let following = Following::start(Arc::clone(&authority), options(folder.path())).await;
        Self {
            authority,
            following,
            _folder: folder,
        }
    }

    async fn head(&self, read: Read) -> Result<Read> {
        let mut query = Query::new(Scope::Global, Name::from_static("thing"));
        query.limit = 1;
        let page = self.authority.list(&query, read).await?;
        Ok(Read::AtLeast(page.revision))
    }
}

impl Store for Through {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            match key.scope() {
                Scope::Global => {
                    let read = self.head(read).await?;
                    self.following.replica.get(key, read).await
                }
                _ => self.authority.get(key, read).await,
            }
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            match &query.scope {
                Scope::Global => {
                    let read = self.head(read).await?;
                    self.following.replica.list(query, read).await
                }
                _ => self.authority.list(query, read).await,
            }
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.authority.commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.authority.watch(scope, since)
    }
}

/// A model in memory, and its replica.
struct OfMemory;

impl Backend for OfMemory {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let authority = Arc::new(Memory::with_history(history));
            Arc::new(Through::new(authority).await) as Arc<dyn Store>
        })
    }

    fn cases(&self) -> u32 {
        8
    }
}

mod of_memory {
    metal_storage::conformance!(super::OfMemory);
}

/// A database, and its replica.
struct OfPostgres;

fn url() -> &'static str {
    static URL: OnceLock<(Postgres, String)> = OnceLock::new();
    let (_, url) = URL.get_or_init(|| {
        let server = Postgres::start();
        let url = server.create_database("suite");
        (server, url)
    });
    url
}

impl Backend for OfPostgres {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let mut options = SqlOptions::new(url()).unwrap();
            options.history_revisions = history;
            options.connections = 4;
            let database = Sql::connect(options, SCHEMAS).await.unwrap();
            let authority = Isolated::new(Arc::new(database));
            Arc::new(Through::new(Arc::new(authority)).await) as Arc<dyn Store>
        })
    }

    fn cases(&self) -> u32 {
        4
    }
}

mod of_postgres {
    metal_storage::conformance!(super::OfPostgres);
}

/// The authority and its replica as one store.
struct AsOne;

impl Backend for AsOne {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let authority: Arc<dyn Store> = Arc::new(Memory::with_history(history));
            let through = Through::new(Arc::clone(&authority)).await;
            let replica = Arc::clone(&through.following.replica);
            Arc::new(Kept {
                store: Replicated::new(authority, replica),
                _through: through,
            }) as Arc<dyn Store>
        })
    }

    fn cases(&self) -> u32 {
        8
    }
}

mod as_one {
    metal_storage::conformance!(super::AsOne);
}

/// What is followed as long as the store is there.
struct Kept {
    store: Replicated,
    _through: Through,
}

impl Store for Kept {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        self.store.get(key, read)
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        self.store.list(query, read)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.store.commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.store.watch(scope, since)
    }
}
