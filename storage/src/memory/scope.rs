use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::batch::{Batch, Write};
use crate::change::Change;
use crate::error::{Error, Index, Result};
use crate::key::Key;
use crate::limits::PAGE_BYTES;
use crate::op::OpId;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::{Revision, Version};
use crate::value::Value;

/// Everything of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    revision: Revision,
    records: BTreeMap<Key, Stored<Record>>,
    log: VecDeque<Change>,
    ops: HashMap<OpId, Revision>,
}

// === impl Contents ===

impl Contents {
    pub(super) fn get(&self, key: &Key) -> Option<Stored<Record>> {
        self.records.get(key).cloned()
    }

    pub(super) fn list(&self, query: &Query) -> Page {
        let mut page = Page {
            records: Vec::new(),
            unreadable: Vec::new(),
            next: None,
            revision: self.revision,
        };
        let mut bytes = 0;
        let matching = self.records.iter().filter(|(key, stored)| {
            *key.table() == query.table
                && query.after.as_deref().is_none_or(|after| key.id() > after)
                && query.matches(&stored.value)
        });
        for (key, stored) in matching {
            bytes += stored.value.doc.len();
            page.records.push(stored.clone());
            if page.records.len() == query.limit || bytes > PAGE_BYTES {
                page.next = Some(key.id().to_owned());
                break;
            }
        }
        page
    }

    /// The first change after a revision.
    pub(super) fn after(&self, since: Revision) -> Result<Option<Change>> {
        if since >= self.revision {
            return Ok(None);
        }
        let oldest = Revision::new(self.revision.get() - self.log.len() as u64);
        if since < oldest {
            return Err(Error::Compacted(oldest));
        }
        let at = (since.get() - oldest.get()) as usize;
        Ok(self.log.get(at).cloned())
    }

    pub(super) fn commit(&mut self, batch: Batch, history: u64) -> Result<Revision> {
        if let Some(revision) = self.ops.get(&batch.op) {
            return Ok(*revision);
        }
        for guard in &batch.guards {
            let found = self.records.get(guard.key()).map(|stored| stored.version);
            if !guard.holds(found) {
                return Err(Error::Conflict(guard.key().clone()));
            }
        }
        let revision = self.revision.next();
        let mut undo = Vec::with_capacity(batch.writes.len());
        for write in &batch.writes {
            undo.push((write.key().clone(), self.get(write.key())));
            if let Err(error) = self.apply(write, revision.into()) {
                for (key, before) in undo.into_iter().rev() {
                    match before {
                        Some(stored) => self.records.insert(key, stored),
                        None => self.records.remove(&key),
                    };
                }
                return Err(error);
            }
        }
        self.revision = revision;
        self.ops.insert(batch.op, revision);
        self.log.push_back(Change {
            revision,
            op: batch.op,
            writes: batch.writes,
        });
        if self.log.len() as u64 > history
            && let Some(forgotten) = self.log.pop_front()
        {
            self.ops.remove(&forgotten.op);
        }
        Ok(revision)
    }

    fn apply(&mut self, write: &Write, version: Version) -> Result<()> {
        match write {
            Write::Put(record) => {
                self.check_unique(record)?;
                let stored = Stored {
                    value: record.clone(),
                    version,
                };
                self.records.insert(record.key.clone(), stored);
            }
            Write::Delete(key) => {
                self.records.remove(key);
            }
        }
        Ok(())
    }

    fn check_unique(&self, record: &Record) -> Result<()> {
        let unique = |field: &&crate::Field| field.unique && field.value != Value::Null;
        for field in record.fields.iter().filter(unique) {
            let taken = self.records.values().any(|other| {
                let other = &other.value;
                other.key != record.key
                    && other.key.table() == record.key.table()
                    && other.fields.contains(field)
            });
            if taken {
                return Err(Error::Taken(Index {
                    scope: record.key.scope().clone(),
                    table: record.key.table().clone(),
                    column: field.name.clone(),
                    value: field.value.clone(),
                }));
            }
        }
        Ok(())
    }
}
