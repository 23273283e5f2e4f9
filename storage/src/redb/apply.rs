use std::collections::HashMap;

use redb::{ReadableTable, Table, WriteTransaction};

use super::copied::Copied;
use super::fault::Fault;
use super::layout::{self, CHANGES, Head, INDEX, OPS, RECORDS, SCOPES};
use super::options::RedbOptions;
use super::seal;
use crate::batch::{Batch, Write};
use crate::error::{Error, Index};
use crate::key::Key;
use crate::op::OpId;
use crate::record::{Field, Record};
use crate::revision::{Revision, Version};
use crate::scope::Scope;
use crate::value::Value;

/// Changes that one commit forgets at most; one is enough unless the bounds were lowered.
const FORGET: usize = 64;

/// The open tables of one write transaction.
pub(super) struct Tables<'txn> {
    scopes: Table<'txn, &'static str, (u64, u64, u64)>,
    records: Table<'txn, &'static [u8], &'static [u8]>,
    index: Table<'txn, &'static [u8], bool>,
    changes: Table<'txn, &'static [u8], &'static [u8]>,
    ops: Table<'txn, &'static [u8], u64>,
}

/// What became of a batch, if the transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It was applied.
    Now(Revision),
    /// It had been applied before, by a commit or earlier in this transaction.
    Before(Revision),
}

// === impl Applied ===

impl Applied {
    pub(super) fn revision(self) -> Revision {
        match self {
            Self::Now(revision) | Self::Before(revision) => revision,
        }
    }
}

// === impl Tables ===

impl<'txn> Tables<'txn> {
    /// Opens them, making those that are not there.
    pub(super) fn open(txn: &'txn WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            scopes: txn.open_table(SCOPES)?,
            records: txn.open_table(RECORDS)?,
            index: txn.open_table(INDEX)?,
            changes: txn.open_table(CHANGES)?,
            ops: txn.open_table(OPS)?,
        })
    }

    /// Applies a batch that is in bounds, or refuses it and changes nothing.
    ///
    /// Everything that may refuse it is checked before the first write, so that a refused batch
    /// does not spoil the others of its group.
    pub(super) fn apply(&mut self, batch: &Batch, options: &RedbOptions) -> Result<Applied, Fault> {
        let op = layout::op(&batch.scope, batch.op);
        if let Some(revision) = self.ops.get(op.as_slice())? {
            return Ok(Applied::Before(Revision::new(revision.value())));
        }
        for guard in &batch.guards {
            if !guard.holds(self.version(guard.key())?) {
                return Err(Error::Conflict(guard.key().clone()).into());
            }
        }
        let before = self.check(batch)?;

        let scope = batch.scope.to_string();
        let mut head = self.head(&scope)?;
        head.revision = head.revision.next();
        for (write, old) in batch.writes.iter().zip(before) {
            self.write(write, &old, head.revision.into())?;
        }
        self.ops.insert(op.as_slice(), head.revision.get())?;
        self.remember(&batch.scope, batch.op, &batch.writes, &mut head, options)?;
        self.scopes.insert(scope.as_str(), head.value())?;
        Ok(Applied::Now(head.revision))
    }

    /// Takes over what the authority of a scope has: no guard and no unique value is checked, as
    /// that is its own affair.
    pub(super) fn replicate(&mut self, copy: &Copied, options: &RedbOptions) -> Result<(), Fault> {
        for stored in &copy.records {
            let record = &stored.value;
            // A page may be read later than a change that wrote the record is made here.
            if self.version(&record.key)? < Some(stored.version) {
                let old = self.fields(&record.key)?;
                self.write(&Write::Put(record.clone()), &old, stored.version)?;
            }
        }
        let scope = copy.scope.to_string();
        let mut head = self.head(&scope)?;
        for change in &copy.changes {
            if head == Head::default() {
                // The first one: what the scope was before it, it was by its records.
                head.revision = change.revision.before();
                head.oldest = head.revision;
            }
            if change.revision != head.revision.next() {
                return Err(Error::Invalid(format!(
                    "revision {} of {scope} does not follow {}",
                    change.revision, head.revision
                ))
                .into());
            }
            head.revision = change.revision;
            for write in &change.writes {
                let old = self.fields(write.key())?;
                self.write(write, &old, change.revision.into())?;
            }
            let op = layout::op(&copy.scope, change.op);
            self.ops.insert(op.as_slice(), change.revision.get())?;
            self.remember(&copy.scope, change.op, &change.writes, &mut head, options)?;
        }
        self.scopes.insert(scope.as_str(), head.value())?;
        Ok(())
    }

    /// Checks that the writes keep unique values unique, each after those before it, and gives
    /// the fields that each record has had.
    fn check(&self, batch: &Batch) -> Result<Vec<Vec<Field>>, Fault> {
        let mut before = Vec::with_capacity(batch.writes.len());
        // Who holds a unique value after the writes so far, where that has changed.
        let mut holders: HashMap<Vec<u8>, Option<&str>> = HashMap::new();
        for write in &batch.writes {
            let key = write.key();
            let old = self.fields(key)?;
            let mut claims = Vec::new();
            if let Write::Put(record) = write {
                for field in record.fields.iter().filter(|field| is_claim(field)) {
                    let value = prefix(key, field);
                    let taken = match holders.get(&value) {
                        Some(holder) => holder.is_some_and(|id| id != key.id()),
                        None => self.is_held_by_another(&value, key.id())?,
                    };
                    if taken {
                        return Err(Error::Taken(Index {
                            scope: batch.scope.clone(),
                            table: key.table().clone(),
                            column: field.name.clone(),
                            value: field.value.clone(),
                        })
                        .into());
                    }
                    claims.push(value);
                }
            }
            for field in old.iter().filter(|field| is_claim(field)) {
                holders.insert(prefix(key, field), None);
            }
            for value in claims {
                holders.insert(value, Some(key.id()));
            }
            before.push(old);
        }
        Ok(before)
    }

    fn is_held_by_another(&self, value: &[u8], id: &str) -> Result<bool, Fault> {
        let end = layout::successor(value).expect("it begins with a scope, which is ASCII");
        for entry in self.index.range(value..end.as_slice())? {
            let (entry, unique) = entry?;
            if unique.value() && &entry.value()[value.len()..] != id.as_bytes() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&mut self, write: &Write, old: &[Field], version: Version) -> Result<(), Fault> {
        let key = write.key();
        let new: &[Field] = match write {
            Write::Put(record) => &record.fields,
            Write::Delete(_) => &[],
        };
        for field in old.iter().filter(|field| !new.contains(field)) {
            self.index.remove(layout::entry(key, field).as_slice())?;
        }
        for field in new.iter().filter(|field| !old.contains(field)) {
            let entry = layout::entry(key, field);
            self.index.insert(entry.as_slice(), field.unique)?;
        }
        let at = layout::record(key);
        match write {
            Write::Put(record) => {
                let bytes = seal::record(&at, record, version);
                self.records.insert(at.as_slice(), bytes.as_slice())?;
            }
            Write::Delete(_) => {
                self.records.remove(at.as_slice())?;
            }
        }
        Ok(())
    }

    /// Keeps the change that made the newest revision, for watchers.
    fn remember(
        &mut self,
        scope: &Scope,
        op: OpId,
        writes: &[Write],
        head: &mut Head,
        options: &RedbOptions,
    ) -> Result<(), Fault> {
        let at = layout::change(scope, head.revision);
        let change = seal::change(&at, op, writes);
        self.changes.insert(at.as_slice(), change.as_slice())?;
        head.bytes += change.len() as u64;
        self.forget(scope, head, options)
    }

    /// Forgets the changes, and their operations, that are out of the bounds of history.
    fn forget(
        &mut self,
        scope: &Scope,
        head: &mut Head,
        options: &RedbOptions,
    ) -> Result<(), Fault> {
        for _ in 0..FORGET {
            let kept = head.revision.get() - head.oldest.get();
            let too_many = kept > options.history_revisions.max(1);
            let too_large = kept > 1 && head.bytes > options.history_bytes;
            if !too_many && !too_large {
                break;
            }
            let oldest = head.oldest.next();
            let at = layout::change(scope, oldest);
            let forgotten = self.changes.remove(at.as_slice())?.map(|change| {
                let bytes = change.value();
                (bytes.len() as u64, seal::open_op(&at, bytes))
            });
            if let Some((len, op)) = forgotten {
                head.bytes = head.bytes.saturating_sub(len);
                if let Some(op) = op {
                    self.ops.remove(layout::op(scope, op).as_slice())?;
                }
            }
            head.oldest = oldest;
        }
        Ok(())
    }

    fn head(&self, scope: &str) -> Result<Head, Fault> {
        let head = self.scopes.get(scope)?;
        Ok(head.map(|head| Head::new(head.value())).unwrap_or_default())
    }

    fn version(&self, key: &Key) -> Result<Option<Version>, Fault> {
        let at = layout::record(key);
        let Some(bytes) = self.records.get(at.as_slice())? else {
            return Ok(None);
        };
        Ok(Some(seal::open_version(key, &at, bytes.value())?))
    }

    fn fields(&self, key: &Key) -> Result<Vec<Field>, Fault> {
        let at = layout::record(key);
        match self.records.get(at.as_slice())? {
            Some(bytes) => {
                let stored = seal::open_record(key.clone(), &at, bytes.value())?;
                let Record { fields, .. } = stored.value;
                Ok(fields)
            }
            None => Ok(Vec::new()),
        }
    }
}

fn is_claim(field: &Field) -> bool {
    field.unique && field.value != Value::Null
}

fn prefix(key: &Key, field: &Field) -> Vec<u8> {
    layout::index(key.scope(), key.table(), &field.name, &field.value)
}
