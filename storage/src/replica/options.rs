use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{PAGE_RECORDS, REVISION_WAIT};
use crate::redb::{Durability, RedbOptions};

/// Where a [`Replica`](super::Replica) is kept, and its bounds.
#[derive(Clone, Debug)]
pub struct ReplicaOptions {
    /// Its file. A second one, of this name and `.snapshot`, is beside it while the scope is
    /// copied whole.
    pub path: PathBuf,
    /// Records asked for at a time while the scope is copied whole, 1 to [`PAGE_RECORDS`].
    pub page: usize,
    /// How often the authority is asked how far it is: what a replica's age is exact to.
    pub ask_every: Duration,
    /// How long the authority is waited for before it counts as away.
    pub patience: Duration,
    /// From one try to reach the authority to the next; twice as long after each.
    pub backoff_min: Duration,
    /// And at most this long.
    pub backoff_max: Duration,
    /// How long reads wait for a revision that is not here yet.
    pub revision_wait: Duration,
    /// How much is lost by a crash, and then followed again.
    pub flush_within: Duration,
    /// Bytes of pages kept in memory.
    pub cache_bytes: usize,
}

// === impl ReplicaOptions ===

impl ReplicaOptions {
    /// A replica in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            page: PAGE_RECORDS,
            ask_every: Duration::from_secs(1),
            patience: Duration::from_secs(5),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
            revision_wait: REVISION_WAIT,
            flush_within: Duration::from_secs(1),
            cache_bytes: 32 * 1024 * 1024,
        }
    }

    pub(super) fn file(&self) -> RedbOptions {
        RedbOptions {
            durability: Durability::Within(self.flush_within),
            // The last change names the operation that the authority is recognized by.
            history_revisions: 1,
            cache_bytes: self.cache_bytes,
            ..RedbOptions::default()
        }
    }
}
