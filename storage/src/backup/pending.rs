use super::verify::{Changed, Item};
use crate::batch::{Batch, Guard, Write};
use crate::limits::{BATCH_BYTES, BATCH_WRITES};
use crate::record::Record;
use crate::revision::Revision;
use crate::scope::Scope;

/// Bytes of records that are kept until there is a place for their batch.
const PENDING_BYTES: usize = BATCH_BYTES - BATCH_BYTES / 8;

/// The batch that is being filled.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) batch: Option<Batch>,
    size: usize,
    /// Records given to batches.
    pub(super) records: u64,
}

// === impl Pending ===

impl Pending {
    /// Keeps what is part of the last revision.
    pub(super) fn take(
        &mut self,
        scope: &Scope,
        item: Item,
        changed: &Changed,
        full: &mut Vec<Batch>,
    ) {
        match item {
            Item::Record(record) => {
                if changed.last(&record.key).is_none() {
                    self.put(scope, record, full);
                }
            }
            Item::Change(revision, writes) => {
                for write in writes {
                    if let Write::Put(record) = write
                        && is_last(changed, &record, revision)
                    {
                        self.put(scope, record, full);
                    }
                }
            }
        }
    }

    fn put(&mut self, scope: &Scope, record: Record, full: &mut Vec<Batch>) {
        let guard = record.key.size();
        let size = record.size() + guard;
        let fits = |batch: &Batch| {
            batch.scope == *scope
                && batch.writes.len() < BATCH_WRITES
                && self.size + size <= PENDING_BYTES
        };
        if !self.batch.as_ref().is_some_and(fits) {
            full.extend(self.batch.take());
            self.size = 0;
        }
        let batch = self.batch.get_or_insert_with(|| Batch::new(scope.clone()));
        // A record may be as large as a batch; then there is no room for its guard.
        if size <= BATCH_BYTES {
            batch.guards.push(Guard::Absent(record.key.clone()));
        }
        self.size += size;
        self.records += 1;
        batch.writes.push(Write::Put(record));
    }
}

fn is_last(changed: &Changed, record: &Record, revision: Revision) -> bool {
    changed.last(&record.key) == Some(revision)
}
