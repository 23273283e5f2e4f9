//! What a group of batches comes to, given what is stored. Pure: no SQL, no I/O.

use std::collections::HashMap;

use crate::batch::{Batch, Write};
use crate::error::{Error, Index, Result};
use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::record::Record;
use crate::revision::{Revision, Version};
use crate::value::Value;

/// A unique column of a table, by its place in the record, and a value.
type Held = (Name, usize, Value);

/// What is stored, as far as a group needs to know, and then what it comes to.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    head: Revision,
    ops: HashMap<OpId, Revision>,
    rows: HashMap<Key, Row<'a>>,
    holders: HashMap<Held, Key>,
    changes: Vec<(Revision, &'a Batch)>,
}

#[derive(Debug, Default)]
struct Row<'a> {
    /// As it was found.
    stored: Option<State>,
    /// As the group makes it.
    now: Option<State>,
    /// The last write.
    write: Option<&'a Write>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    version: Version,
    unique: Vec<(usize, Value)>,
}

/// What is to be written to one table.
#[derive(Debug, Default)]
pub(super) struct TableWrites<'a> {
    /// Ids whose rows must go first: deleted for good, or about to change a unique value, which
    /// another row of the same statement may take.
    pub(super) delete: Vec<&'a str>,
    /// Rows to insert or replace.
    pub(super) put: Vec<(&'a Record, Version)>,
    /// Whether one of them is there and is not deleted first.
    pub(super) replaces: bool,
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// Of a scope at this revision that remembers these operations.
    pub(super) fn new(head: Revision, ops: HashMap<OpId, Revision>) -> Self {
        Self {
            head,
            ops,
            ..Self::default()
        }
    }

    /// Tells of a row that was found: its version and what its unique columns hold.
    pub(super) fn found(&mut self, key: Key, version: Version, unique: Vec<(usize, Value)>) {
        let state = State { version, unique };
        self.set(&key, Some(state.clone()), None);
        let row = self.rows.entry(key).or_default();
        row.stored = Some(state);
    }

    /// Whether an operation is remembered.
    pub(super) fn remembers(&self, op: OpId) -> Option<Revision> {
        self.ops.get(&op).copied()
    }

    /// Applies a batch on top of those before it, or refuses it and changes nothing.
    pub(super) fn apply(&mut self, batch: &'a Batch) -> Result<Revision> {
        if let Some(revision) = self.remembers(batch.op) {
            return Ok(revision);
        }
        for guard in &batch.guards {
            let row = self.rows.get(guard.key());
            let found = row.and_then(|row| row.now.as_ref()).map(|now| now.version);
            if !guard.holds(found) {
                return Err(Error::Conflict(guard.key().clone()));
            }
        }
        let revision = self.head.next();
        let mut undo = Vec::with_capacity(batch.writes.len());
        for write in &batch.writes {
            let made = match write {
                Write::Delete(_) => Ok(None),
                Write::Put(record) => self.free(record).map(|()| {
                    Some(State {
                        version: revision.into(),
                        unique: unique(record),
                    })
                }),
            };
            match made {
                Ok(state) => undo.push((write.key(), self.set(write.key(), state, Some(write)))),
                Err(error) => {
                    for (key, (state, write)) in undo.into_iter().rev() {
                        self.set(key, state, write);
                    }
                    return Err(error);
                }
            }
        }
        self.head = revision;
        self.ops.insert(batch.op, revision);
        self.changes.push((revision, batch));
        Ok(revision)
    }

    /// Where the scope is after the group.
    pub(super) fn head(&self) -> Revision {
        self.head
    }

    /// What the group comes to, in commit order.
    pub(super) fn changes(&self) -> &[(Revision, &'a Batch)] {
        &self.changes
    }

    /// What is to be written, by table.
    pub(super) fn writes(&self) -> HashMap<&'a str, TableWrites<'a>> {
        let mut tables: HashMap<&str, TableWrites<'_>> = HashMap::new();
        for row in self.rows.values() {
            let Some(write) = row.write else { continue };
            let table = tables.entry(write.key().table().as_str()).or_default();
            let stored = row.stored.as_ref().map(|state| &state.unique);
            match (write, &row.now) {
                (Write::Put(record), Some(now)) => {
                    match stored {
                        Some(unique) if *unique != now.unique => {
                            table.delete.push(record.key.id());
                        }
                        stored => table.replaces |= stored.is_some(),
                    }
                    table.put.push((record, now.version));
                }
                (write, _) => {
                    if stored.is_some() {
                        table.delete.push(write.key().id());
                    }
                }
            }
        }
        tables
    }

    /// Refuses a record of which another holds a unique value.
    fn free(&self, record: &Record) -> Result<()> {
        for (i, value) in unique(record) {
            let held = (record.key.table().clone(), i, value);
            let holder = self.holders.get(&held);
            if holder.is_some_and(|holder| *holder != record.key) {
                let (table, i, value) = held;
                return Err(Error::Taken(Index {
                    scope: record.key.scope().clone(),
                    table,
                    column: record.fields[i].name.clone(),
                    value,
                }));
            }
        }
        Ok(())
    }

    /// Makes a row this; gives what it was.
    fn set(
        &mut self,
        key: &Key,
        state: Option<State>,
        write: Option<&'a Write>,
    ) -> (Option<State>, Option<&'a Write>) {
        let row = self.rows.entry(key.clone()).or_default();
        let before = (row.now.take(), row.write);
        let held = |(i, value): &(usize, Value)| (key.table().clone(), *i, value.clone());
        for old in before.0.iter().flat_map(|state| &state.unique) {
            self.holders.remove(&held(old));
        }
        for new in state.iter().flat_map(|state| &state.unique) {
            self.holders.insert(held(new), key.clone());
        }
        row.now = state;
        row.write = write;
        before
    }
}

/// The unique values that a record holds, by the places of their columns.
fn unique(record: &Record) -> Vec<(usize, Value)> {
    let fields = record.fields.iter().enumerate();
    fields
        .filter(|(_, field)| field.unique && field.value != Value::Null)
        .map(|(i, field)| (i, field.value.clone()))
        .collect()
}
