//! One durable file on one node.
//!
//! ```text
//! commit -> Writer (queue, thread) -> Engine (group, faults) -> Tables (one redb transaction)
//! get, list, watch -> View (what can be read now) -> read
//!                       both on -> Fence -> Medium (the file)
//! ```

mod apply;
mod compaction;
mod copied;
mod copy;
mod engine;
mod fault;
mod fence;
mod file;
mod inspect;
mod layout;
mod medium;
mod options;
mod overlay;
mod read;
mod seal;
mod view;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ::redb::ReadTransaction;
use async_stream::stream;
use tokio::sync::watch;

pub use self::compaction::Compaction;
pub(crate) use self::copied::Copied;
use self::engine::Engine;
use self::fault::Fault;
pub use self::medium::Medium;
pub use self::options::{Durability, RedbOptions};
use self::view::View;
use self::writer::Writer;
use crate::batch::Batch;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::heads::Heads;
use crate::key::Key;
use crate::op::OpId;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::stats::{Counters, Stats};
use crate::store::{BoxFuture, BoxStream, Read, Store};

/// Changes that a watcher takes from the file at once.
const CHANGES: usize = 64;

/// How often a read is tried again after the database was opened again beneath it.
const TRIES: usize = 3;

/// A store in one [redb](https://www.redb.org) file: durable, for one node.
///
/// A commit is acknowledged after `fdatasync`, unless [`RedbOptions::durability`] says otherwise;
/// those that wait at the same time share one. A thread of its own writes. Reads never wait for it: they see the last acknowledged state. After
/// an error of the file (full, read-only, broken) commits are refused with the cause until the
/// file works again, which is tried by itself, and reads go on from what was durable.
///
/// Costs: `get` some microseconds when cached, on the caller's thread; `list` and `watch` on
/// tokio's blocking threads; a commit one or more group's time, which is two `fdatasync`.
#[derive(Debug)]
pub struct Redb {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
}

/// What streams keep. The database closes without them.
#[derive(Debug)]
struct Shared {
    view: Arc<View>,
    heads: Arc<Heads>,
    counters: Arc<Counters>,
    options: RedbOptions,
}

// === impl Redb ===

impl Redb {
    /// Opens the store in this file, or makes an empty one if there is no such file. Blocks the
    /// thread: call it when starting.
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) if the file is in use by another process or cannot be
    /// opened or written, [`Corrupt`](Error::Corrupt) if it is no store of ours, which is never
    /// replaced, [`Invalid`](Error::Invalid) if a newer version wrote it. A file that an older
    /// version wrote is copied into one of the newest format, which then takes its name; if there
    /// is no room for both, it stays as it is.
    pub fn open(path: impl AsRef<Path>, options: RedbOptions) -> Result<Self> {
        let path = path.as_ref();
        let cache = options.cache_bytes;
        let named = |error| match error {
            Error::Corrupt { cause, .. } => Error::Corrupt {
                what: path.display().to_string(),
                cause,
            },
            Error::Unavailable { reason } => Error::Unavailable {
                reason: format!("{}: {reason}", path.display()),
            },
            error => error,
        };
        let medium = file::open(path, cache)?;
        match Self::start(Arc::clone(&medium), Some(path), options.clone()) {
            Err(Fault::Old(format)) => {
                tracing::info!(path = %path.display(), format, "migrating the store's file");
                let migrated = file::old_database(&medium, cache)
                    .and_then(|old| copy::to_new_file(path, &old, format, cache));
                let medium = migrated.map_err(|fault| named(fault.into_error()))?;
                Self::start(medium, Some(path), options)
            }
            started => started,
        }
        .map_err(|fault| named(fault.into_error()))
    }

    /// Opens the store on a medium, or makes an empty one if the medium is empty.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(medium: Arc<dyn Medium>, options: RedbOptions) -> Result<Self> {
        let empty = medium.is_empty().map_err(|error| Error::Unavailable {
            reason: error.to_string(),
        })?;
        if empty {
            file::initialize(Arc::clone(&medium), options.cache_bytes)
                .map_err(Fault::into_error)?;
        }
        Self::start(medium, None, options).map_err(Fault::into_error)
    }

    fn start(
        medium: Arc<dyn Medium>,
        path: Option<&Path>,
        options: RedbOptions,
    ) -> Result<Self, Fault> {
        let heads = Arc::new(Heads::new(options.revision_wait));
        let counters = Arc::new(Counters::default());
        let (engine, view) = Engine::new(
            medium,
            path.map(Path::to_owned),
            options.clone(),
            Arc::clone(&heads),
            Arc::clone(&counters),
        )?;
        let writer = Writer::start(engine, &options).map_err(|error| Error::Unavailable {
            reason: format!("cannot start the writer's thread: {error}"),
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                view,
                heads,
                counters,
                options,
            }),
            writer: Arc::new(writer),
        })
    }

    /// Commits what waits, closes the file and unlocks it; every later call is answered
    /// [`Unavailable`](Error::Unavailable). Dropping the store does the same, later.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// Copies the store into a new file without what is free in it, which then takes the old
    /// one's name, if it has 16 MiB at least and that makes it smaller by about half. Commits wait meanwhile; reads and
    /// watchers go on. There must be room for both files. Costs what is stored, which is bounded
    /// by [`RedbOptions::compact_bytes`].
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) if more is stored than may keep commits waiting, or the store
    /// was not opened by a path; [`Unavailable`](Error::Unavailable) if there is no room for
    /// both, and then nothing was changed.
    pub async fn compact(&self) -> Result<Compaction> {
        self.writer.compact().await
    }

    /// Keeps a part of a scope that another store has the authority for, whole or not at all.
    /// Such a scope may not be committed to here.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a change that does not follow the newest;
    /// [`Unavailable`](Error::Unavailable) if the file does not take it: what is then there is as
    /// before or all of it.
    pub(crate) async fn replicate(&self, copied: Copied) -> Result<()> {
        self.writer.replicate(copied).await
    }

    /// The newest revision of a scope and the operation that made it; none if that is not kept.
    ///
    /// # Errors
    /// As [`list`](Store::list).
    pub(crate) async fn newest(&self, scope: &Scope) -> Result<Option<(Revision, OpId)>> {
        let writer = Arc::downgrade(&self.writer);
        let scope = scope.clone();
        self.shared
            .read(&writer, move |txn| {
                let head = read::head(txn, &scope)?;
                if head.revision == Revision::ZERO || head.oldest == head.revision {
                    return Ok(None);
                }
                let last = read::changes(txn, &scope, head.revision.before(), 1)?;
                Ok(last.first().map(|change| (change.revision, change.op)))
            })
            .await
    }

    /// Figures since the store was opened. Costs nothing.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.writer.waiting())
    }

    /// The bounds that it was opened with.
    pub fn options(&self) -> &RedbOptions {
        &self.shared.options
    }

    async fn reach(&self, scope: &Scope, read: Read) -> Result<()> {
        match read {
            Read::AtLeast(revision) => self.shared.heads.reach(scope, revision).await.map(drop),
            Read::Latest | Read::Stale => Ok(()),
        }
    }
}

impl Store for Redb {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            self.reach(key.scope(), read).await?;
            for _ in 0..TRIES {
                let reopened = self.shared.view.follow();
                match self.shared.view.read(|txn| read::get(txn, key)) {
                    Ok(found) => return Ok(found),
                    Err(fault) => {
                        let writer = Some(self.writer.as_ref());
                        self.shared.again(fault, writer, reopened).await?;
                    }
                }
            }
            Err(keeps_failing())
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            query.check()?;
            self.reach(&query.scope, read).await?;
            let query = query.clone();
            let writer = Arc::downgrade(&self.writer);
            self.shared
                .read(&writer, move |txn| read::list(txn, &query))
                .await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let begun = Instant::now();
            let result = match batch.check() {
                Ok(()) => self.writer.commit(batch).await,
                Err(error) => Err(error),
            };
            self.shared.counters.commit(&result, begun.elapsed());
            result
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let shared = Arc::clone(&self.shared);
        let writer = Arc::downgrade(&self.writer);
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
                let from = scope.clone();
                let more = shared.read(&writer, move |txn| read::changes(txn, &from, seen, CHANGES));
                match more.await {
                    Ok(changes) if changes.is_empty() => {
                        if head.wait_for(|now| *now > seen).await.is_err() {
                            yield Err(shared.heads.ended());
                            return;
                        }
                    }
                    Ok(changes) => {
                        for change in changes {
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
    /// Reads on a thread that may block, and again if the database is opened again beneath it.
    async fn read<T: Send + 'static>(
        &self,
        writer: &std::sync::Weak<Writer>,
        read: impl Fn(&ReadTransaction) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Result<T> {
        let read = Arc::new(read);
        for _ in 0..TRIES {
            let reopened = self.view.follow();
            let view = Arc::clone(&self.view);
            let once = Arc::clone(&read);
            let result = tokio::task::spawn_blocking(move || view.read(|txn| once(txn)));
            match result.await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(fault)) => {
                    let writer = writer.upgrade();
                    self.again(fault, writer.as_deref(), reopened).await?;
                }
                Err(error) => {
                    return Err(Error::Unavailable {
                        reason: error.to_string(),
                    });
                }
            }
        }
        Err(keeps_failing())
    }

    /// Returns when a read is worth trying again after this fault: once the database beneath it
    /// was opened again, or a bounded time has passed.
    async fn again(
        &self,
        fault: Fault,
        writer: Option<&Writer>,
        mut reopened: watch::Receiver<u64>,
    ) -> Result<()> {
        if let Fault::Refused(error) = fault {
            return Err(error);
        }
        if let Some(writer) = writer {
            writer.recover();
        }
        match fault {
            Fault::Medium(_) => {
                let wait = self.options.revision_wait;
                let _ = tokio::time::timeout(wait, reopened.changed()).await;
                Ok(())
            }
            // Who reads next sees what became of it.
            fault => Err(fault.into_error()),
        }
    }
}

fn keeps_failing() -> Error {
    Error::Unavailable {
        reason: "its file fails whenever it is opened again".into(),
    }
}
