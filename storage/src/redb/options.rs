use std::time::Duration;

use crate::limits::{HISTORY_REVISIONS, REVISION_WAIT};

/// When a commit is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it survives a loss of power: for what is kept nowhere else.
    #[default]
    Immediate,
    /// At once, and it is made durable within this time: for a copy that can be made again, at a
    /// fraction of the cost. A crash of the process or the machine, or a fault of the file, may
    /// lose what was committed since: the newest commits, each whole, so that the store is then
    /// as it was at an earlier revision, and gives the later ones anew. Watchers that saw more
    /// than is left are ended with an error. Closing the store loses nothing.
    Within(Duration),
}

/// The bounds of a [`Redb`](super::Redb) store.
#[derive(Clone, Debug)]
pub struct RedbOptions {
    /// Revisions that each scope remembers, at least one: changes for watchers, operation ids for
    /// repeated commits.
    pub history_revisions: u64,
    /// Bytes of changes that each scope remembers; the oldest are forgotten first, though there
    /// are fewer than `history_revisions`. The newest is always kept.
    pub history_bytes: u64,
    /// When a commit is acknowledged.
    pub durability: Durability,
    /// Stored bytes that [`compact`](super::Redb::compact) may copy while commits wait.
    pub compact_bytes: u64,
    /// Commits that wait for the medium at most.
    pub queue: usize,
    /// How long a commit waits for a place in the queue before it is refused.
    pub queue_wait: Duration,
    /// How long a commit waits for its answer before it is given up as unknown.
    pub commit_wait: Duration,
    /// Commits that share one acknowledgement of the medium at most.
    pub group_batches: usize,
    /// Bytes of commits that share one acknowledgement of the medium; the batch that exceeds it
    /// is the group's last.
    pub group_bytes: usize,
    /// How long reads and watchers wait for a revision that is not reached.
    pub revision_wait: Duration,
    /// Bytes of pages kept in memory.
    pub cache_bytes: usize,
    /// After a fault of the medium, commits are refused at once for this long; twice as long
    /// after each further fault.
    pub backoff_min: Duration,
    /// And for this long at the most.
    pub backoff_max: Duration,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            history_revisions: HISTORY_REVISIONS,
            history_bytes: 256 * 1024 * 1024,
            durability: Durability::Immediate,
            compact_bytes: 256 * 1024 * 1024,
            queue: 1024,
            queue_wait: Duration::from_secs(1),
            commit_wait: Duration::from_secs(10),
            group_batches: 256,
            group_bytes: 8 * 1024 * 1024,
            revision_wait: REVISION_WAIT,
            cache_bytes: 128 * 1024 * 1024,
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
        }
    }
}
