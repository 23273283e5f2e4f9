//! Backup and restore, from the four verbs alone: whatever keeps the promises of
//! [`Store`](crate::Store) can be backed up, and restored into whatever else keeps them.
//!
//! # What a backup is
//! The records of some scopes, each scope as of one [`Revision`](crate::Revision), though it was
//! written to meanwhile. [`backup`] lists the tables page by page, and watches the scope from the
//! first page's revision on while it does. A page of a later revision shows some of what the
//! changes say and not the rest, but a record that no change touched is the same in each. So the
//! state at the last revision is: of a record that was changed, what the last change made of it;
//! of every other, what was listed. [`restore`] puts it together in this way, and no set of
//! records that it writes on the way breaks a unique column, as each is a part of one state.
//!
//! Memory: a page and a change for [`backup`]; a few batches for [`restore`], and 24 bytes for each
//! write that was made while the backup was, of which there may be [`CHANGES`].
//!
//! # The file
//! UTF-8 lines of JSON, plain or as zstd frames one behind another, so that
//! `zstdcat FILE | head -1 | jq` shows what it is. In this order:
//!
//! | line | says |
//! |---|---|
//! | `{"header": …}` | that it is a backup, the version of this format, who made it and when, the tables with their columns, the scopes |
//! | `{"scope": …}` | the scope that follows, and the revision that its changes count from |
//! | `{"record": …}` | a record as it was listed, any number of them |
//! | `{"change": …}` | what a commit did, revision by revision, anywhere among the records |
//! | `{"end": …}` | of each scope its revision and how much there is, how many lines there are, and the SHA-256 of all lines before this one |
//!
//! Nothing follows the end. A file without it is truncated.
//!
//! A restored scope counts revisions of its own: who followed the source has to list anew. A
//! [`Replica`](crate::Replica) sees that by itself: the operation that made its newest revision
//! is not the one that made it there.

mod decode;
mod error;
mod line;
mod make;
mod output;
mod pending;
mod place;
mod restore;
mod source;
mod verify;

pub use self::error::{Error, Result};
pub use self::line::{FORMAT, Header};
pub use self::make::{CHANGES, Compression, Options, backup};
#[cfg(feature = "s3")]
pub use self::place::S3Options;
pub use self::place::{Place, Sink};
pub use self::restore::{RestoreOptions, restore};
pub use self::source::Source;
pub use self::verify::{Counted, Summary, Verifier};

use crate::scope::Scope;
use crate::store::Store;

/// A scope and the store that has it.
#[derive(Clone)]
pub struct Part<'a> {
    /// The scope.
    pub scope: Scope,
    /// Its store.
    pub store: &'a dyn Store,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Records written so far; while verifying, records and changes seen.
    pub records: u64,
    /// Bytes of the file written or read so far in this step.
    pub bytes: u64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Records are read from the store and written to the backup.
    BackUp,
    /// The backup is read and checked; nothing has been changed yet.
    Verify,
    /// What the target held is deleted.
    Clear,
    /// Records are written to the target.
    Restore,
    /// The target is read, and what is there is counted.
    Count,
}

/// Told how far it is, now and then.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);
