//! Which batches of a group can be committed, and the transaction that does it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::entry::{self, Logged};
use super::head::Head;
use super::layout::Layout;
use super::load;
use super::options::EtcdOptions;
use super::proto::{Compare, RangeRequest, RequestOp, TxnRequest};
use super::view::{Found, View};
use crate::batch::{Batch, Write};
use crate::change::Change;
use crate::codec;
use crate::error::{Error, Index, Result};
use crate::key::Key;
use crate::name::Name;
use crate::record::{Field, Record, Stored};
use crate::revision::{Revision, Version};
use crate::value::Value;

/// Head, changes, forgetting, turn: what every transaction needs besides records.
pub(super) const OPS: usize = 4;

/// What is to become of a batch.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It happened before, at this revision.
    Before(Revision),
    /// It is refused, if the view is what etcd has.
    Refused(Error),
    /// It happens at this revision, if the view is what etcd has.
    Now(Revision),
    /// The transaction is full without it.
    Later,
}

/// What becomes of a group, against one view.
#[derive(Debug)]
pub(super) struct Plan {
    /// One for each batch.
    pub(super) verdicts: Vec<Verdict>,
    /// The head afterwards; its `mod_revision` is still that of the view.
    pub(super) head: Head,
    /// What the view needs afterwards; empty if there is nothing to commit.
    pub(super) changes: Vec<Logged>,
    /// What to send.
    pub(super) txn: TxnRequest,
}

/// The state after the batches so far, where it differs from the view.
struct Draft<'a> {
    view: &'a View,
    records: HashMap<Key, Option<Arc<Stored<Record>>>>,
    /// Who holds a unique value.
    holders: HashMap<(Name, Name, Value), Option<Key>>,
}

/// Plans a group of this node, in its order. The first that can be committed is, whatever its size; one that
/// exceeds what a transaction holds is committed alone, its records written by [`records`] later.
pub(super) fn plan<'a>(
    view: &View,
    layout: &Layout,
    options: &EtcdOptions,
    node: &str,
    batches: impl Iterator<Item = &'a Batch>,
) -> Plan {
    let mut draft = Draft {
        view,
        records: HashMap::new(),
        holders: HashMap::new(),
    };
    let before = view.head();
    let mut revision = before.revision;
    let mut entry = entry::begin(revision.next());
    let mut changes: Vec<Logged> = Vec::new();
    let mut added = 0;
    let mut records = 0;
    let mut full = false;
    let mut verdicts = Vec::new();
    for batch in batches {
        if full {
            verdicts.push(Verdict::Later);
            continue;
        }
        let known = changes.iter().find(|logged| logged.change.op == batch.op);
        let known = known.map(|logged| logged.change.revision);
        if let Some(at) = view.op(batch.op).or(known) {
            // One that this transaction makes is answered with it.
            verdicts.push(if known.is_some() {
                Verdict::Now(at)
            } else {
                Verdict::Before(at)
            });
            continue;
        }
        if let Err(error) = draft.check(batch) {
            verdicts.push(Verdict::Refused(error));
            continue;
        }
        if view.record_bytes() + added + batch.size() > options.scope_bytes && puts(batch) {
            verdicts.push(Verdict::Refused(Error::Unavailable {
                reason: format!(
                    "{} holds {} bytes already",
                    batch.scope,
                    view.record_bytes()
                ),
            }));
            continue;
        }
        // Each document is in the changes and in its record.
        let ops = OPS + draft.records.len() + batch.writes.len();
        let size = entry.len() + records + 2 * batch.size() + 64 * batch.writes.len();
        full = ops > options.txn_ops || size > options.request_bytes;
        if full && !changes.is_empty() {
            verdicts.push(Verdict::Later);
            continue;
        }
        revision = revision.next();
        added += batch.size();
        records += batch.size();
        let bytes = entry::push(&mut entry, batch.op, &batch.writes);
        let change = Arc::new(Change {
            revision,
            op: batch.op,
            writes: batch.writes.clone(),
        });
        changes.push(Logged { change, bytes });
        draft.apply(batch, revision.into());
        verdicts.push(Verdict::Now(revision));
    }
    let head = Head {
        revision,
        oldest: oldest(view, options, revision, &changes),
        // Full with one batch alone: that one was too large.
        written: if full && changes.len() == 1 && !fits(&draft, &entry, options) {
            before.written
        } else {
            revision
        },
        mod_revision: before.mod_revision,
    };
    let mut success = Vec::new();
    if !changes.is_empty() {
        success.push(RequestOp::put(layout.head(), head.encode()));
        success.push(RequestOp::put(layout.change(revision), entry));
        if head.oldest > before.oldest {
            let first = layout.change(Revision::ZERO);
            success.push(RequestOp::delete(first, layout.change(head.oldest.next())));
        }
        if head.written == revision {
            let records = draft.records.iter();
            success.extend(records.map(|(key, found)| op(layout, key, found.as_deref())));
        }
        success.push(RequestOp::range(RangeRequest {
            key: layout.turn(),
            ..RangeRequest::default()
        }));
    }
    let mut failure = load::missing(layout, before.revision);
    failure.push(RequestOp::put(layout.turn(), node.to_owned()));
    Plan {
        verdicts,
        head,
        changes,
        txn: TxnRequest {
            compare: vec![Compare::unchanged(layout.head(), before.mod_revision)],
            success,
            failure,
        },
    }
}

/// The transactions that write the records of the changes whose records are not written; none
/// if there are none. Each must succeed before the next is sent, compared with the head that it
/// left.
pub(super) fn records(view: &View, layout: &Layout, options: &EtcdOptions) -> Vec<Vec<RequestOp>> {
    let mut parts: Vec<Vec<RequestOp>> = Vec::new();
    let mut size = 0;
    for key in view.written_since(view.head().written) {
        let stored = match view.get(&key) {
            Some(Ok(stored)) => Some(Stored::clone(stored)),
            Some(Err(_)) | None => None,
        };
        let bytes = stored.as_ref().map_or(0, |stored| stored.value.size());
        size += bytes;
        match parts.last_mut() {
            Some(part) if part.len() + OPS < options.txn_ops && size <= options.request_bytes => {
                part.push(op(layout, &key, stored.as_ref()));
            }
            _ => {
                parts.push(vec![op(layout, &key, stored.as_ref())]);
                size = bytes;
            }
        }
    }
    parts
}

fn op(layout: &Layout, key: &Key, stored: Option<&Stored<Record>>) -> RequestOp {
    let at = layout.record(key);
    match stored {
        Some(stored) => RequestOp::put(at, codec::encode_record(&stored.value, stored.version)),
        None => RequestOp::delete(at, Bytes::new()),
    }
}

fn puts(batch: &Batch) -> bool {
    let mut writes = batch.writes.iter();
    writes.any(|write| matches!(write, Write::Put(_)))
}

/// Whether the records of a single batch fit into its transaction.
fn fits(draft: &Draft<'_>, entry: &[u8], options: &EtcdOptions) -> bool {
    let stored = draft.records.values().flatten();
    let bytes: usize = stored.map(|stored| stored.value.size() + 64).sum();
    OPS + draft.records.len() <= options.txn_ops && entry.len() + bytes <= options.request_bytes
}

/// What can be watched from once the scope is at `revision`.
fn oldest(view: &View, options: &EtcdOptions, revision: Revision, changes: &[Logged]) -> Revision {
    let more: usize = changes.iter().map(|logged| logged.bytes).sum();
    let by_count = revision
        .get()
        .saturating_sub(options.history_revisions.max(1));
    let by_bytes = view.oldest_within(options.history_bytes, more).get();
    // Never beyond what the view has: the newest changes stay, and records not yet written
    // are told by them alone.
    let most = view.head().written.get();
    let oldest = by_count.max(by_bytes).min(most);
    Revision::new(oldest.max(view.head().oldest.get()))
}

// === impl Draft ===

impl Draft<'_> {
    /// Whether a batch can be applied to the state so far.
    fn check(&self, batch: &Batch) -> Result<()> {
        for guard in &batch.guards {
            let version = self.get(guard.key())?.map(|stored| stored.version);
            if !guard.holds(version) {
                return Err(Error::Conflict(guard.key().clone()));
            }
        }
        // Who holds a unique value after the writes so far, where that has changed.
        let mut holders: HashMap<(Name, Name, Value), Option<&Key>> = HashMap::new();
        for write in &batch.writes {
            let key = write.key();
            let old = self.get(key)?;
            let new: &[Field] = match write {
                Write::Put(record) => &record.fields,
                Write::Delete(_) => &[],
            };
            for field in new.iter().filter(|field| is_claim(field)) {
                let slot = slot(key, field);
                let taken = match (holders.get(&slot), self.holders.get(&slot)) {
                    (Some(holder), _) => holder.is_some_and(|holder| holder != key),
                    (None, Some(holder)) => holder.as_ref().is_some_and(|holder| holder != key),
                    (None, None) => self.view.is_held_by_another(key, field),
                };
                if taken {
                    return Err(Error::Taken(Index {
                        scope: key.scope().clone(),
                        table: key.table().clone(),
                        column: field.name.clone(),
                        value: field.value.clone(),
                    }));
                }
            }
            let old = old.iter().flat_map(|stored| &stored.value.fields);
            for field in old.filter(|field| is_claim(field)) {
                holders.insert(slot(key, field), None);
            }
            for field in new.iter().filter(|field| is_claim(field)) {
                holders.insert(slot(key, field), Some(key));
            }
        }
        Ok(())
    }

    /// Applies a batch that was checked.
    fn apply(&mut self, batch: &Batch, version: Version) {
        for write in &batch.writes {
            let key = write.key();
            if let Ok(Some(old)) = self.get(key) {
                for field in old.value.fields.iter().filter(|field| is_claim(field)) {
                    self.holders.insert(slot(key, field), None);
                }
            }
            let new = match write {
                Write::Put(record) => {
                    for field in record.fields.iter().filter(|field| is_claim(field)) {
                        self.holders.insert(slot(key, field), Some(key.clone()));
                    }
                    Some(Arc::new(Stored {
                        value: record.clone(),
                        version,
                    }))
                }
                Write::Delete(_) => None,
            };
            self.records.insert(key.clone(), new);
        }
    }

    fn get(&self, key: &Key) -> Result<Option<Arc<Stored<Record>>>> {
        if let Some(found) = self.records.get(key) {
            return Ok(found.clone());
        }
        self.view.get(key).map(|found| read(key, found)).transpose()
    }
}

/// A record found, or the error that names the one that cannot be read.
pub(super) fn read(key: &Key, found: &Found) -> Result<Arc<Stored<Record>>> {
    found.clone().map_err(|cause| Error::Corrupt {
        what: key.to_string(),
        cause: cause.to_string(),
    })
}

fn is_claim(field: &Field) -> bool {
    field.unique && field.value != Value::Null
}

fn slot(key: &Key, field: &Field) -> (Name, Name, Value) {
    (key.table().clone(), field.name.clone(), field.value.clone())
}
