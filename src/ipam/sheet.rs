use std::collections::HashSet;

use metal_storage::limits::{BATCH_BYTES, BATCH_GUARDS, BATCH_WRITES};
use metal_storage::{Batch, Error, Guard, Index, Key, Result, Scope, Write};

use super::request::{Extra, Request};
use super::{Free, Interval, IpamError, Pool};
use metal_storage::Entity;

/// What will be in one batch beside the pools: the requests that share it, and their extras.
#[derive(Default)]
pub(super) struct Sheet {
    entries: Vec<Entry>,
    guarded: HashSet<Key>,
    written: HashSet<Key>,
    size: usize,
}

/// A request that is in a batch.
pub(super) struct Entry {
    pub request: Request,
    pub intervals: Vec<Interval>,
    extra: Extra,
}

/// What the pools add to a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    pub guards: usize,
    pub writes: usize,
    pub bytes: usize,
}

/// Whether an extra goes into a batch.
#[derive(Debug, PartialEq)]
pub(super) enum Room {
    Enough,
    /// Not beside what is in it already.
    Later,
    /// There is no room left.
    Full,
    /// Not even alone.
    Never(IpamError),
}

// === impl Sheet ===

impl Sheet {
    /// Whether an extra can be added when the pools then have this share. What one request writes
    /// no other may guard or write: whichever came first, the outcome would not be as if they had
    /// come one after another.
    pub fn room(&self, scope: &Scope, extra: &Extra, share: Share) -> Room {
        let batch = as_batch(scope, extra);
        if let Err(error) = check(&batch) {
            return Room::Never(error);
        }
        let guards = self.guarded_count() + extra.guards.len() + share.guards;
        let writes = self.written.len() + extra.writes.len() + share.writes;
        let bytes = self.size + batch.size() + share.bytes;
        let fits = guards <= BATCH_GUARDS && writes <= BATCH_WRITES && bytes <= BATCH_BYTES;
        if self.entries.is_empty() {
            return match fits {
                true => Room::Enough,
                false => Room::Never(IpamError::Invalid(format!(
                    "a request takes {guards} guards, {writes} writes and {bytes} bytes, a batch \
                     at most {BATCH_GUARDS}, {BATCH_WRITES} and {BATCH_BYTES}"
                ))),
            };
        }
        let apart = |key: &Key| !self.written.contains(key);
        let guards = extra.guards.iter().map(Guard::key);
        let writes = extra.writes.iter().map(Write::key);
        let unread = writes.clone().all(|key| !self.guarded.contains(key));
        match unread && guards.chain(writes).all(apart) {
            _ if !fits => Room::Full,
            true => Room::Enough,
            false => Room::Later,
        }
    }

    /// Adds a request for which there is room.
    pub fn add(&mut self, request: Request, intervals: Vec<Interval>, extra: Extra) {
        self.size += as_batch(&Scope::Global, &extra).size();
        let guarded = extra.guards.iter().map(Guard::key).cloned();
        self.guarded.extend(guarded);
        let written = extra.writes.iter().map(Write::key).cloned();
        self.written.extend(written);
        self.entries.push(Entry {
            request,
            intervals,
            extra,
        });
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether another request may be added to those that are there.
    pub fn is_open(&self) -> bool {
        self.entries.iter().all(|entry| !entry.request.alone)
    }

    /// Adds the extras to a batch.
    pub fn write(&self, batch: &mut Batch) {
        for entry in &self.entries {
            batch.guards.extend(entry.extra.guards.iter().cloned());
            batch.writes.extend(entry.extra.writes.iter().cloned());
        }
    }

    /// The place in it of the request that has a guard of this record.
    pub fn guarding(&self, key: &Key) -> Option<usize> {
        let guards = |entry: &Entry| entry.extra.guards.iter().any(|guard| guard.key() == key);
        self.entries.iter().position(guards)
    }

    /// The place in it of the request that writes this unique value.
    pub fn holding(&self, index: &Index) -> Option<usize> {
        let holds = |write: &Write| match write {
            Write::Put(record) => {
                *record.key.table() == index.table
                    && record.field(&index.column) == Some(&index.value)
            }
            Write::Delete(_) => false,
        };
        let holds = |entry: &Entry| entry.extra.writes.iter().any(holds);
        self.entries.iter().position(holds)
    }

    /// The requests, in the order in which they were added.
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    fn guarded_count(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| entry.extra.guards.len())
            .sum()
    }
}

fn as_batch(scope: &Scope, extra: &Extra) -> Batch {
    let mut batch = Batch::new(scope.clone());
    batch.guards.clone_from(&extra.guards);
    batch.writes.clone_from(&extra.writes);
    batch
}

/// What a store would refuse of one request it would refuse of all that share the batch.
fn check(batch: &Batch) -> Result<(), IpamError> {
    let guards = batch.guards.iter().map(Guard::key);
    let mut keys = guards.chain(batch.writes.iter().map(Write::key));
    let own = [Pool::SCHEMA.table(), Free::SCHEMA.table()];
    if let Some(key) = keys.find(|key| own.contains(&key.table().as_str())) {
        let text = format!("{key} is changed by moves alone");
        return Err(IpamError::Invalid(text));
    }
    let checked =
        match batch.writes.is_empty() {
            // A batch has to have a write; a request has the moves.
            true => batch.guards.iter().try_for_each(|guard| {
                match *guard.key().scope() == batch.scope {
                    true => Ok(()),
                    false => Err(Error::Invalid(format!(
                        "{} is of another scope",
                        guard.key()
                    ))),
                }
            }),
            false => batch.check(),
        };
    checked.map_err(|error| match error {
        Error::Invalid(text) => IpamError::Invalid(text),
        other => IpamError::Store(other),
    })
}
