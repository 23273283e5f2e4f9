use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::entry::Logged;
use super::head::Head;
use crate::batch::Write;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::limits::PAGE_BYTES;
use crate::name::Name;
use crate::op::OpId;
use crate::query::{Page, Query};
use crate::record::{Field, Record, Stored};
use crate::revision::{Revision, Version};
use crate::scope::Scope;
use crate::value::Value;

/// A record as it was read, or why it could not be.
pub(super) type Found = Result<Arc<Stored<Record>>, Arc<str>>;

/// Ids of those that hold a value, and whether it is unique to them.
type Holders = BTreeMap<Arc<str>, bool>;

/// All of one scope as of one revision: records, index, and the changes that are remembered.
///
/// Costs the memory of the records and of the changes, whose documents are shared where they are
/// the same.
#[derive(Debug)]
pub(super) struct View {
    scope: Scope,
    head: Head,
    records: HashMap<Name, BTreeMap<Arc<str>, Found>>,
    index: HashMap<(Name, Name, Value), Holders>,
    log: VecDeque<Logged>,
    ops: HashMap<OpId, Revision>,
    log_bytes: usize,
    record_bytes: usize,
}

/// Why a view could not be brought to a later revision.
#[derive(Debug)]
pub(super) enum Lost {
    /// Changes between are no longer remembered: it must be loaded again.
    Outrun,
    /// The scope went back in time.
    Back(Error),
}

// === impl View ===

impl View {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            head: Head::default(),
            records: HashMap::new(),
            index: HashMap::new(),
            log: VecDeque::new(),
            ops: HashMap::new(),
            log_bytes: 0,
            record_bytes: 0,
        }
    }

    /// What was loaded: records of revision `head.written` or later, each as one of its versions,
    /// and every change after `head.oldest`.
    pub(super) fn load(
        scope: Scope,
        head: Head,
        records: Vec<(Key, Result<Stored<Record>>)>,
        log: Vec<Logged>,
    ) -> Result<Self> {
        let mut view = Self::new(scope);
        for (key, found) in records {
            match found {
                Ok(stored) => view.put(Arc::new(stored)),
                Err(error) => view.broken(&key, &error),
            }
        }
        let mut next = head.oldest.next();
        for logged in log {
            let revision = logged.change.revision;
            if revision < next {
                continue;
            }
            if revision > next {
                break;
            }
            if revision > head.written {
                view.apply(&logged.change);
            }
            view.remember(logged);
            next = next.next();
        }
        if next != head.revision.next() {
            return Err(Error::Corrupt {
                what: format!("the changes of {}", view.scope),
                cause: format!("revision {next} is missing, the head is {}", head.revision),
            });
        }
        view.head = head;
        Ok(view)
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Bytes of the records.
    pub(super) fn record_bytes(&self) -> usize {
        self.record_bytes
    }

    /// Brings it to a head whose changes, those not yet known, are given in their order.
    pub(super) fn advance(&mut self, head: Head, changes: Vec<Logged>) -> Result<(), Lost> {
        if head.mod_revision <= self.head.mod_revision {
            return Ok(());
        }
        if head.revision < self.head.revision {
            return Err(Lost::Back(Error::Corrupt {
                what: format!("the head of {}", self.scope),
                cause: format!(
                    "it went back from revision {} to {}",
                    self.head.revision, head.revision
                ),
            }));
        }
        let known = self.head.revision;
        let new: Vec<Logged> = changes
            .into_iter()
            .filter(|logged| logged.change.revision > known)
            .collect();
        let numbers = new.iter().map(|logged| logged.change.revision.get());
        if !numbers.eq(known.get() + 1..=head.revision.get()) {
            return Err(Lost::Outrun);
        }
        for logged in new {
            self.apply(&logged.change);
            self.remember(logged);
        }
        self.head = head;
        while self.log_start() < head.oldest {
            let Some(forgotten) = self.log.pop_front() else {
                break;
            };
            self.log_bytes -= forgotten.bytes;
            self.ops.remove(&forgotten.change.op);
        }
        Ok(())
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Found> {
        self.records.get(key.table())?.get(key.id())
    }

    /// Which revision an operation made, if it is remembered.
    pub(super) fn op(&self, op: OpId) -> Option<Revision> {
        self.ops.get(&op).copied()
    }

    /// Whether a record other than this one holds the value as unique.
    pub(super) fn is_held_by_another(&self, key: &Key, field: &Field) -> bool {
        let slot = slot(key, field);
        self.index.get(&slot).is_some_and(|holders| {
            let mut others = holders.iter().filter(|(id, _)| &***id != key.id());
            others.any(|(_, unique)| *unique)
        })
    }

    pub(super) fn list(&self, query: &Query) -> Page {
        let mut page = Page {
            records: Vec::new(),
            unreadable: Vec::new(),
            next: None,
            revision: self.head.revision,
        };
        let Some(table) = self.records.get(&query.table) else {
            return page;
        };
        let start = match &query.after {
            Some(after) if *after >= query.prefix => Bound::Excluded(after.as_str()),
            _ => Bound::Included(query.prefix.as_str()),
        };
        let range = (start, Bound::Unbounded);
        let (mut bytes, mut last) = (0, None);
        // Whether the page is full with it.
        let mut take = |id: &str, found: &Found| {
            match found {
                Ok(stored) if !query.matches(&stored.value) => return false,
                Ok(stored) => {
                    bytes += stored.value.doc.len();
                    page.records.push(Stored::clone(stored));
                }
                Err(cause) => page.unreadable.push(Error::Corrupt {
                    what: format!("{} {}/{id}", query.scope, query.table),
                    cause: cause.to_string(),
                }),
            }
            last = Some(id.to_owned());
            page.records.len() + page.unreadable.len() == query.limit || bytes > PAGE_BYTES
        };
        let mut full = false;
        match query.equal.first() {
            None => {
                for (id, found) in table.range::<str, _>(range) {
                    if !id.starts_with(&query.prefix) {
                        break;
                    }
                    full = take(id, found);
                    if full {
                        break;
                    }
                }
            }
            Some((column, value)) => {
                let slot = (query.table.clone(), column.clone(), value.clone());
                let holders = self.index.get(&slot).into_iter();
                for (id, _) in holders.flat_map(|holders| holders.range::<str, _>(range)) {
                    if !id.starts_with(&query.prefix) {
                        break;
                    }
                    full = table.get(id).is_some_and(|found| take(id, found));
                    if full {
                        break;
                    }
                }
            }
        }
        if full {
            page.next = last;
        }
        page
    }

    /// At most so many of the changes after a revision; none if there are none yet.
    pub(super) fn changes(&self, since: Revision, limit: usize) -> Result<Vec<Arc<Change>>> {
        if since >= self.head.revision {
            return Ok(Vec::new());
        }
        let start = self.log_start();
        if since < start {
            return Err(Error::Compacted(start));
        }
        let at = (since.get() - start.get()) as usize;
        let log = self.log.range(at..).take(limit);
        Ok(log.map(|logged| Arc::clone(&logged.change)).collect())
    }

    /// The oldest revision such that the changes after it take at most so many bytes, with as
    /// many bytes more to come; the newest revision if they do not.
    pub(super) fn oldest_within(&self, bytes: usize, more: usize) -> Revision {
        let mut total = self.log_bytes + more;
        let mut oldest = self.log_start();
        for logged in &self.log {
            if total <= bytes {
                break;
            }
            total -= logged.bytes;
            oldest = logged.change.revision;
        }
        oldest
    }

    /// Keys written by the changes after a revision, each once.
    pub(super) fn written_since(&self, since: Revision) -> Vec<Key> {
        let start = self.log_start();
        let at = since.get().saturating_sub(start.get()) as usize;
        let changes = self.log.range(at.min(self.log.len())..);
        let writes = changes.flat_map(|logged| &logged.change.writes);
        let keys: std::collections::BTreeSet<&Key> = writes.map(Write::key).collect();
        keys.into_iter().cloned().collect()
    }

    /// The revision that the first remembered change follows.
    fn log_start(&self) -> Revision {
        match self.log.front() {
            Some(first) => Revision::new(first.change.revision.get() - 1),
            None => self.head.revision,
        }
    }

    fn remember(&mut self, logged: Logged) {
        self.log_bytes += logged.bytes;
        self.ops.insert(logged.change.op, logged.change.revision);
        self.log.push_back(logged);
    }

    fn apply(&mut self, change: &Change) {
        for write in &change.writes {
            self.remove(write.key());
            if let Write::Put(record) = write {
                self.put(Arc::new(Stored {
                    value: record.clone(),
                    version: Version::from(change.revision),
                }));
            }
        }
    }

    /// Adds a record whose key has none.
    fn put(&mut self, stored: Arc<Stored<Record>>) {
        let record = &stored.value;
        let id: Arc<str> = record.key.id().into();
        for field in &record.fields {
            let holders = self.index.entry(slot(&record.key, field)).or_default();
            holders.insert(Arc::clone(&id), field.unique);
        }
        self.record_bytes += record.size();
        let table = self.records.entry(record.key.table().clone()).or_default();
        table.insert(id, Ok(stored));
    }

    fn broken(&mut self, key: &Key, error: &Error) {
        let cause = match error {
            Error::Corrupt { cause, .. } => cause.as_str().into(),
            other => other.to_string().into(),
        };
        let table = self.records.entry(key.table().clone()).or_default();
        table.insert(key.id().into(), Err(cause));
    }

    fn remove(&mut self, key: &Key) {
        let Some(table) = self.records.get_mut(key.table()) else {
            return;
        };
        let Some(Ok(stored)) = table.remove(key.id()) else {
            return;
        };
        self.record_bytes -= stored.value.size();
        for field in &stored.value.fields {
            let slot = slot(key, field);
            if let Some(holders) = self.index.get_mut(&slot) {
                holders.remove(key.id());
                if holders.is_empty() {
                    self.index.remove(&slot);
                }
            }
        }
    }
}

fn slot(key: &Key, field: &Field) -> (Name, Name, Value) {
    (key.table().clone(), field.name.clone(), field.value.clone())
}
