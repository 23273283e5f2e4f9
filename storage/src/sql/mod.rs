//! PostgreSQL and CockroachDB, for many nodes.
//!
//! ```text
//! commit -> Writers (a queue and a task a scope) -> Groups (one transaction, retries) -> Plan (pure)
//! get, list, watch -> Reader (one statement, one snapshot)
//! other nodes' commits -> follow (NOTIFY or a short poll) -> Heads -> watch
//! all of it -> statements (every text of SQL) -> Client (pool, time limits)
//! ```

mod bind;
mod client;
mod ddl;
mod engine;
mod fault;
mod follow;
mod group;
mod identity;
mod migrate;
mod options;
mod pause;
mod plan;
mod read;
mod rows;
mod statements;
mod tables;
mod writer;

use std::sync::Arc;
use std::time::Instant;

use async_stream::stream;
use sqlx::Row;
use tokio::task::JoinHandle;

use self::client::{Client, fixed};
pub use self::ddl::{Migration, migrations};
pub use self::engine::Engine;
use self::fault::Fault;
use self::group::Groups;
use self::migrate::Migrator;
pub use self::options::SqlOptions;
use self::read::{Changes, Reader};
use self::statements::{DURABLE, READ_ONLY, VERSION, VERSION_NUMBER};
pub use self::statements::{Statement, statements};
use self::tables::Tables;
use self::writer::Writers;
use crate::batch::Batch;
use crate::change::Change;
use crate::error::{Error, Result, invalid};
use crate::heads::Heads;
use crate::key::Key;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::stats::{Counters, Stats};
use crate::store::{BoxFuture, BoxStream, Read, Store};

/// The oldest PostgreSQL that it is tested on.
const POSTGRES: u32 = 150_000;

/// A store in a database that speaks PostgreSQL's protocol: durable, for many nodes at once.
///
/// Every table is a real one: its key, its version and every declared column are columns, with a
/// UNIQUE constraint for each scope where they are unique; the rest is `doc JSONB`. A transaction
/// is SERIALIZABLE and holds the row of its scope, which says the revision; the change, with its
/// operation id, is written in the same one. Commits that wait at the same time share it.
///
/// A conflict with another node is tried again, whole, for a bounded time
/// ([`Stats::retries`]). A COMMIT whose answer is lost is resolved by the operation ids;
/// [`Unknown`](Error::Unknown) is left if the database stays away for longer.
///
/// Costs: a `get` one round trip and a page of a `list` likewise; a group of commits four round
/// trips (begin, head, advance, commit), and two or three for each table.
#[derive(Debug)]
pub struct Sql {
    shared: Arc<Shared>,
    writers: Writers,
    follower: JoinHandle<()>,
}

/// What streams keep.
#[derive(Debug)]
struct Shared {
    reader: Arc<Reader>,
    heads: Arc<Heads>,
    counters: Arc<Counters>,
    options: SqlOptions,
}

// === impl Sql ===

impl Sql {
    /// Opens the store in a database, which keeps the tables of these schemas; makes them, if
    /// [`SqlOptions::migrate`] says so. Several nodes may do so at once.
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) if the database cannot be reached, refuses the
    /// credential, does not prove who it is, or is read-only; [`Invalid`](Error::Invalid) if it
    /// is not the engine asked for, too old, not migrated, or migrated by a newer version.
    pub async fn connect(options: SqlOptions, schemas: &[Schema]) -> Result<Self> {
        let tables = Arc::new(Tables::new(schemas)?);
        let counters = Arc::new(Counters::default());
        let client = Client::new(&options, Arc::clone(&counters))?;
        inspect(&client).await?;
        let derived;
        let migrations = match options.migrations {
            Some(given) => given,
            None => {
                derived = ddl::migrations(schemas)?;
                derived.as_slice()
            }
        };
        let migrator = Migrator::new(&client, &options, migrations);
        if options.migrate {
            migrator.migrate().await?;
        }
        migrator.check().await?;
        migrate::verify(&client, schemas).await?;
        let heads = Arc::new(Heads::new(options.revision_wait));
        let reader = Arc::new(Reader {
            client: client.clone(),
            tables: Arc::clone(&tables),
        });
        let groups = Arc::new(Groups {
            client,
            tables,
            heads: Arc::clone(&heads),
            counters: Arc::clone(&counters),
            options: options.clone(),
        });
        let follower = tokio::spawn(follow::follow(
            Arc::clone(&reader),
            Arc::clone(&heads),
            options.clone(),
        ));
        Ok(Self {
            shared: Arc::new(Shared {
                reader,
                heads,
                counters,
                options,
            }),
            writers: Writers::new(groups),
            follower,
        })
    }

    /// What the server calls itself and its version. Costs a round trip.
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) if it does not answer.
    pub async fn version(&self) -> Result<String> {
        let version = show(&self.shared.reader.client, VERSION).await?;
        let name = version.split('(').next().unwrap_or_default();
        Ok(name.trim().to_owned())
    }

    /// Commits what waits and closes the connections; every later call is answered
    /// [`Unavailable`](Error::Unavailable). Dropping the store does the same, later.
    pub async fn close(&self) {
        self.follower.abort();
        self.writers.close().await;
        self.shared.heads.close();
        // Bounded, as a reader that is never polled again may hold a connection.
        let closing = self.shared.reader.client.pool.close();
        let _ = tokio::time::timeout(self.shared.options.statement_wait, closing).await;
    }

    /// Figures since the store was opened. Costs nothing.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.writers.waiting())
    }

    /// The bounds that it was opened with.
    pub fn options(&self) -> &SqlOptions {
        &self.shared.options
    }
}

impl Drop for Sql {
    fn drop(&mut self) {
        self.follower.abort();
        self.shared.heads.close();
    }
}

impl Store for Sql {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            let stale = read == Read::Stale;
            let once = || async { self.shared.reader.get(key, stale).await };
            self.shared
                .reach(key.scope(), read, once, |found| found.1)
                .await
                .map(|found| found.0)
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            query.check()?;
            let stale = read == Read::Stale;
            let once = || async { self.shared.reader.list(query, stale).await };
            self.shared
                .reach(&query.scope, read, once, |page| page.revision)
                .await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let begun = Instant::now();
            let tables = &self.shared.reader.tables;
            let result = match batch.check().and_then(|()| tables.check(&batch)) {
                Ok(()) => self.writers.commit(batch).await,
                Err(error) => Err(error),
            };
            self.shared.counters.commit(&result, begun.elapsed());
            result
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(stream! {
            let mut seen = since;
            let mut head = match shared.heads.follow(&scope) {
                Ok(head) => head,
                Err(error) => {
                    yield Err(error);
                    return;
                }
            };
            loop {
                let once = || changes(&shared.reader, &scope, seen);
                let more = shared
                    .reach(&scope, Read::AtLeast(seen), once, |more| more.head)
                    .await;
                let more = match more {
                    Ok(more) if seen < more.forgotten => Err(Error::Compacted(more.forgotten)),
                    more => more,
                };
                match more {
                    Ok(more) if more.changes.is_empty() => {
                        if head.wait_for(|now| *now > seen).await.is_err() {
                            yield Err(crate::heads::closed());
                            return;
                        }
                    }
                    Ok(more) => {
                        for change in more.changes {
                            seen = change.revision;
                            yield Ok(change);
                        }
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
    /// Reads until the scope has the revision asked for, or a bounded time has passed.
    async fn reach<T, F: Future<Output = Result<T>>>(
        &self,
        scope: &Scope,
        read: Read,
        once: impl Fn() -> F,
        revision: impl Fn(&T) -> Revision,
    ) -> Result<T> {
        // The store may be closed while its streams live on.
        let mut head = self.heads.follow(scope)?;
        let deadline = tokio::time::Instant::now() + self.options.revision_wait;
        loop {
            let last = tokio::time::Instant::now() >= deadline;
            let found = once().await?;
            let reached = revision(&found);
            let Read::AtLeast(wanted) = read else {
                return Ok(found);
            };
            if reached >= wanted {
                return Ok(found);
            }
            if last {
                return Err(Error::Behind {
                    scope: scope.clone(),
                    reached,
                });
            }
            let wait = head.wait_for(|now| *now >= wanted);
            if let Ok(Err(_)) = tokio::time::timeout_at(deadline, wait).await {
                return Err(crate::heads::closed());
            }
        }
    }
}

/// Reads to the end however the stream is polled: one that is left alone holds no connection.
async fn changes(reader: &Arc<Reader>, scope: &Scope, since: Revision) -> Result<Changes> {
    let (reader, scope) = (Arc::clone(reader), scope.clone());
    let reading = tokio::spawn(async move { reader.changes(&scope, since).await });
    reading
        .await
        .unwrap_or_else(|_| Err(crate::heads::closed()))
}

/// Refuses a database that cannot be what it should.
async fn inspect(client: &Client) -> Result<()> {
    let place = &client.place;
    let version = show(client, VERSION).await?;
    if !client.engine.is(&version) {
        let is = version.split(' ').take(2).collect::<Vec<_>>().join(" ");
        return Err(invalid!("{place} is not that engine but {is}"));
    }
    if client.engine == Engine::Postgres {
        let number = show(client, VERSION_NUMBER).await?;
        if number.parse::<u32>().unwrap_or(0) < POSTGRES {
            return Err(invalid!("{place} is older than PostgreSQL 15: {version}"));
        }
        if show(client, DURABLE).await? == "off" {
            return Err(invalid!(
                "{place} has synchronous_commit off: it would lose what it has acknowledged"
            ));
        }
    }
    if show(client, READ_ONLY).await? == "on" {
        return Err(Error::Unavailable {
            reason: format!("{place} is read-only; is it a standby?"),
        });
    }
    Ok(())
}

async fn show(client: &Client, statement: &'static str) -> Result<String> {
    let refused = |fault: Fault| Error::Unavailable {
        reason: format!("{}: {}", client.place, fault.reason()),
    };
    let rows = client.read(|| fixed(statement)).await.map_err(refused)?;
    match rows.first() {
        Some(row) => row.try_get(0).map_err(|e| refused(e.into())),
        None => Err(refused(Fault::Down(format!("{statement} says nothing")))),
    }
}
