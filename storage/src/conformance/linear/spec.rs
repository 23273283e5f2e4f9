use std::collections::{BTreeMap, HashMap, HashSet};

use super::checker::{Call, Model};
use crate::{
    Batch, Error, Index, Key, OpId, Page, Query, Record, Result, Revision, Stored, Value, Write,
};

/// What one scope answers, one operation after another.
pub(super) struct Spec {
    /// The operations that were sent more than once; the others need not be remembered.
    repeated: HashSet<OpId>,
    /// Which operation made a revision, where it was told so or a watcher saw it. No other can
    /// have it: so one that was never answered took effect in a gap between these, or after all,
    /// or never.
    made: HashMap<Revision, OpId>,
    /// What a list showed that was asked for when all else had been answered. What comes after it
    /// was seen by nobody.
    last: Option<Revision>,
}

/// Everything of a scope but its history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    revision: Revision,
    records: BTreeMap<Key, Stored<Record>>,
    ops: BTreeMap<OpId, Revision>,
}

/// An operation and its answer.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Get(Key, Option<Stored<Record>>),
    List(Query, Page),
    /// `None`: never answered, or that it is unknown.
    Commit(Batch, Option<Result<Revision>>),
}

// === impl Spec ===

impl Spec {
    /// Of a history, and the revisions that watchers saw made.
    ///
    /// # Errors
    /// A text that says which of those was answered otherwise.
    pub(super) fn of(
        calls: &[Call<Op>],
        watched: &HashSet<(Revision, OpId)>,
    ) -> std::result::Result<Self, String> {
        let mut spec = Self {
            repeated: HashSet::new(),
            made: HashMap::new(),
            last: last(calls),
        };
        let mut seen = HashSet::new();
        for call in calls {
            if let Op::Commit(batch, answer) = &call.op {
                if !seen.insert(batch.op) {
                    spec.repeated.insert(batch.op);
                }
                if let Some(Ok(revision)) = answer {
                    spec.made.insert(*revision, batch.op);
                }
            }
        }
        for (revision, op) in watched {
            if !seen.contains(op) {
                return Err(format!(
                    "a watcher saw operation {op} at revision {revision}, which was answered as \
                     not done or never asked for"
                ));
            }
            let known = *spec.made.entry(*revision).or_insert(*op);
            if known != *op {
                return Err(format!(
                    "a watcher saw operation {op} at revision {revision}, which is that of \
                     operation {known}"
                ));
            }
        }
        Ok(spec)
    }

    fn is_free(&self, revision: Revision, op: OpId) -> bool {
        self.last.is_none_or(|last| revision <= last)
            && self.made.get(&revision).is_none_or(|known| *known == op)
    }
}

fn last(calls: &[Call<Op>]) -> Option<Revision> {
    let last = calls.iter().max_by_key(|call| call.ended)?;
    let Op::List(_, page) = &last.op else {
        return None;
    };
    let mut others = calls.iter().filter(|call| call.ended < last.ended);
    let all_before = others.all(|call| call.ended.is_none_or(|ended| ended < last.begun));
    all_before.then_some(page.revision)
}

impl Model for Spec {
    type State = State;
    type Op = Op;

    fn step(&self, state: &State, op: &Op) -> Option<State> {
        match op {
            Op::Get(key, found) => {
                (state.records.get(key) == found.as_ref()).then(|| state.clone())
            }
            Op::List(query, page) => state.shows(query, page).then(|| state.clone()),
            Op::Commit(batch, answer) => {
                let mut after = state.clone();
                let answered = after.commit(batch, self.repeated.contains(&batch.op));
                match answer {
                    Some(answer) if *answer != answered => None,
                    Some(Ok(_)) => Some(after),
                    Some(Err(_)) => Some(state.clone()),
                    // Without effect, it is as if it never happened.
                    None => answered
                        .is_ok_and(|revision| self.is_free(revision, batch.op))
                        .then_some(after),
                }
            }
        }
    }

    fn only_looks(&self, op: &Op) -> bool {
        match op {
            Op::Get(..) | Op::List(..) | Op::Commit(_, Some(Err(_))) => true,
            Op::Commit(_, Some(Ok(_)) | None) => false,
        }
    }
}

// === impl State ===

impl State {
    /// May leave itself half changed if it refuses.
    fn commit(&mut self, batch: &Batch, remember: bool) -> Result<Revision> {
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
        for write in &batch.writes {
            match write {
                Write::Put(record) => {
                    self.check_unique(record)?;
                    let stored = Stored {
                        value: record.clone(),
                        version: revision.into(),
                    };
                    self.records.insert(record.key.clone(), stored);
                }
                Write::Delete(key) => {
                    self.records.remove(key);
                }
            }
        }
        self.revision = revision;
        if remember {
            self.ops.insert(batch.op, revision);
        }
        Ok(revision)
    }

    fn check_unique(&self, record: &Record) -> Result<()> {
        let claims = |field: &&crate::Field| field.unique && field.value != Value::Null;
        for field in record.fields.iter().filter(claims) {
            let taken = self.records.values().any(|other| {
                other.value.key != record.key
                    && other.value.key.table() == record.key.table()
                    && other.value.fields.contains(field)
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

    fn shows(&self, query: &Query, page: &Page) -> bool {
        let after = |key: &Key| query.after.as_deref().is_none_or(|after| key.id() > after);
        let matching = self.records.iter().filter(|(key, stored)| {
            *key.table() == query.table && after(key) && query.matches(&stored.value)
        });
        let mut expected = matching.map(|(_, stored)| stored).take(query.limit);
        let mut shown = page.records.iter();
        page.revision == self.revision
            && shown.all(|stored| expected.next() == Some(stored))
            // A page may be cut short by its bytes, and then says so.
            && (expected.next().is_none() || page.next.is_some())
    }
}
