//! The bounds that every backend keeps. What exceeds one is refused as [`Error::Invalid`] before
//! anything is written or sent.
//!
//! [`Error::Invalid`]: crate::Error::Invalid

use std::time::Duration;

/// Writes in one batch, as in etcd.
pub const BATCH_WRITES: usize = 128;

/// Guards in one batch, as in etcd.
pub const BATCH_GUARDS: usize = 128;

/// Bytes of one batch: keys, columns and documents of its guards and writes together. etcd takes
/// 1.5 MiB in one request, of which what stands around a batch needs a part.
pub const BATCH_BYTES: usize = 1_280 * 1024;

/// Bytes of a record's id.
pub const ID_BYTES: usize = 512;

/// Bytes of a text column. A btree entry of PostgreSQL holds 2,704 bytes with its companions.
pub const TEXT_BYTES: usize = 1024;

/// Columns of one record.
pub const COLUMNS: usize = 16;

/// Records of one page.
pub const PAGE_RECORDS: usize = 1000;

/// Bytes of documents in one page; the record that exceeds it is the page's last.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Equality conditions of one query.
pub const FILTERS: usize = 4;

/// Revisions of a scope that a store remembers unless told otherwise: both its changes, for
/// watchers, and its operation ids, for repeated commits.
pub const HISTORY_REVISIONS: u64 = 10_000;

/// How long a read or a watcher waits for a revision that the store has not reached.
pub const REVISION_WAIT: Duration = Duration::from_secs(1);
