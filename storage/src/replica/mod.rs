//! A scope of another store, followed into a file of one's own: what can still be read when the
//! authority is away.
//!
//! ```text
//! authority -> snapshot (once) -> Filling -> Copy (a redb file) -> get, list
//!           -> watch (from then on)       ->
//! ```
//!
//! The copy has the authority's revisions and versions. It says which operation made its newest
//! revision, and goes on from there only if that operation made that revision at the authority,
//! too. So an authority that was restored, or went back, is recognized whatever the engine, and
//! the scope is copied whole again.

mod copy;
mod filling;
mod follower;
mod options;
mod replicated;
mod status;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use self::copy::{Copy, Note};
use self::follower::Follower;
pub use self::options::ReplicaOptions;
pub use self::replicated::Replicated;
pub use self::status::ReplicaStatus;
use self::status::{Board, Proof};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::name::Name;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::store::{Read, Store};

/// A copy of one scope in a [redb](https://www.redb.org) file, which follows its authority.
///
/// It is as old as [`status`](Self::status) says. A crash loses what was followed within
/// [`ReplicaOptions::flush_within`], which is then followed again. Nothing can be committed to it.
pub struct Replica {
    shared: Arc<Shared>,
}

/// What the reads and the follower share.
struct Shared {
    authority: Arc<dyn Store>,
    scope: Scope,
    /// At least one.
    tables: Vec<Name>,
    note: Note,
    options: ReplicaOptions,
    copy: Mutex<Option<Arc<Copy>>>,
    board: watch::Sender<Board>,
}

// === impl Replica ===

impl Replica {
    /// The copy of `scope`, with the tables of `schemas`, that an earlier process left in the
    /// file, or none yet. The authority is not asked: that begins with [`follow`](Self::follow).
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) without a schema, or if the file is a store and no replica;
    /// [`Unavailable`](Error::Unavailable) if another process has it, or it cannot be opened. A
    /// damaged replica is logged and made again.
    pub async fn open(
        authority: Arc<dyn Store>,
        scope: Scope,
        schemas: &[Schema],
        options: ReplicaOptions,
    ) -> Result<Self> {
        if schemas.is_empty() {
            return Err(Error::Invalid("a replica of no table".to_owned()));
        }
        let note = Note {
            scope: scope.to_string(),
            tables: schemas.iter().map(Schema::describe).collect(),
            proven: None,
        };
        let tables = schemas.iter().map(|schema| schema.table());
        let tables = tables.map(Name::from_static).collect();
        let found = Copy::find(&options.path, &options.file(), &note).await?;
        let mut board = Board::default();
        let mut copy = None;
        if let Some((left, note)) = found {
            let newest = left.newest(&scope).await?;
            board.revision = Some(newest.map_or(Revision::ZERO, |(revision, _)| revision));
            board.proof = note.age().map(|earlier| Proof {
                at: Instant::now(),
                earlier,
            });
            copy = Some(Arc::new(left));
        }
        Ok(Self {
            shared: Arc::new(Shared {
                authority,
                scope,
                tables,
                note,
                options,
                copy: Mutex::new(copy),
                board: watch::Sender::new(board),
            }),
        })
    }

    /// The task that follows the authority, however often that is away. It never ends; whoever
    /// polls it owns it. There is to be one at a time.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        Follower::new(Arc::clone(&self.shared)).run()
    }

    /// The scope that is copied.
    pub fn scope(&self) -> &Scope {
        &self.shared.scope
    }

    /// How it is doing. Costs nothing.
    pub fn status(&self) -> ReplicaStatus {
        self.shared.board.borrow().status()
    }

    /// Waits, without bound, until this is true of the status. That time passes is not noticed.
    pub async fn wait_for(&self, mut is: impl FnMut(&ReplicaStatus) -> bool) {
        let mut board = self.shared.board.subscribe();
        // `shared` keeps the sender.
        let _ = board.wait_for(|board| is(&board.status())).await;
    }

    /// The record of this key, as old as the replica is. [`Read::Latest`] is as
    /// [`Read::Stale`]: there is nothing newer here. Costs O(log n).
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) before the first copy; [`Behind`](Error::Behind) if a
    /// revision asked for does not come in a bounded time; [`Invalid`](Error::Invalid) for a key
    /// of another scope.
    pub async fn get(&self, key: &Key, read: Read) -> Result<Option<Stored<Record>>> {
        let copy = self.reach(key.scope(), read).await?;
        copy.file.get(key, Read::Stale).await
    }

    /// A page, as old as the replica is. Costs as [`Store::list`] says.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn list(&self, query: &Query, read: Read) -> Result<Page> {
        let copy = self.reach(&query.scope, read).await?;
        copy.file.list(query, Read::Stale).await
    }

    /// Makes everything durable and closes the file. Reads are answered
    /// [`Unavailable`](Error::Unavailable) from then on, and nothing is
    /// followed.
    pub async fn close(&self) {
        self.shared.board.send_modify(|board| {
            board.closed = true;
            board.revision = None;
            board.following = false;
        });
        if let Some(copy) = self.shared.set_copy(None) {
            copy.file.close().await;
        }
    }

    async fn reach(&self, scope: &Scope, read: Read) -> Result<Arc<Copy>> {
        let shared = &self.shared;
        if *scope != shared.scope {
            return Err(Error::Invalid(format!(
                "this is a replica of {}, not of {scope}",
                shared.scope
            )));
        }
        if let Read::AtLeast(revision) = read {
            let mut board = shared.board.subscribe();
            let reached = board.wait_for(|board| board.revision >= Some(revision));
            let reached = tokio::time::timeout(shared.options.revision_wait, reached).await;
            if reached.is_err() {
                return Err(Error::Behind {
                    scope: scope.clone(),
                    reached: shared.board.borrow().revision.unwrap_or_default(),
                });
            }
        }
        shared.copy().ok_or_else(|| Error::Unavailable {
            reason: format!("there is no copy of {scope} yet"),
        })
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("scope", &self.shared.scope)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    fn copy(&self) -> Option<Arc<Copy>> {
        self.copy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Gives the one before.
    fn set_copy(&self, copy: Option<Arc<Copy>>) -> Option<Arc<Copy>> {
        let mut held = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, copy)
    }
}
