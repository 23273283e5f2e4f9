use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;

use super::checker::{Call, Verdict, check};
use super::spec::{Op, Spec, State};
use crate::conformance::kit::{canonical, canonical_batch};
use crate::{
    Batch, BoxFuture, BoxStream, Change, Error, Key, OpId, Page, Query, Read, Record, Result,
    Revision, Scope, Store, Stored,
};

/// Steps that a check takes at most; where revisions say the order, a few for each operation.
const STEPS: u64 = 2_000_000;

/// A store that remembers what it was asked and answered, by any number of clients at once, so
/// that it can be [checked](Self::check) afterwards: also while its engine is killed and cut.
///
/// Only [`Read::Latest`] is remembered of reads. What watchers see is held against the answers, and
/// says when that happened which was never answered: a check need not try where it fits. A commit that is
/// unknown, or was dropped before it was answered, may happen at any later time, once, or never.
/// Operation ids that are repeated must be within the history that the store remembers.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn Store>,
    history: Arc<History>,
}

#[derive(Default)]
struct History {
    /// Counts questions and answers; no clock of the machine takes part.
    clock: AtomicU64,
    calls: Mutex<HashMap<Scope, Vec<Call<Op>>>>,
    /// Which operation a watcher saw make which revision.
    watched: Mutex<HashMap<Scope, HashSet<(Revision, OpId)>>>,
}

/// A commit that is not answered yet; if it is dropped so, it stays open for ever.
struct Pending<'a> {
    history: &'a History,
    begun: u64,
    batch: Option<Batch>,
}

// === impl Recorder ===

impl Recorder {
    /// Records what goes to this store, which must be empty.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            history: Arc::default(),
        }
    }

    /// Goes on with another store of the same contents: one opened again.
    #[must_use]
    pub fn on(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            history: Arc::clone(&self.history),
        }
    }

    /// Operations remembered so far.
    pub fn len(&self) -> usize {
        self.history.calls().values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The scopes that were asked of.
    pub fn scopes(&self) -> Vec<Scope> {
        self.history.calls().keys().cloned().collect()
    }

    /// Commits of which it is unknown whether they happened.
    pub fn unknown(&self) -> usize {
        let calls = self.history.calls();
        let open = |call: &&Call<Op>| call.ended.is_none();
        calls.values().flatten().filter(open).count()
    }

    /// Checks that the answers of each scope are those of one operation after another, each taking
    /// effect between its question and its answer.
    ///
    /// # Errors
    /// A text that says which operations do not fit.
    pub fn check(&self) -> std::result::Result<(), String> {
        let watched = self.history.watched();
        let none = HashSet::new();
        for (scope, calls) in self.history.calls().iter() {
            let watched = watched.get(scope).unwrap_or(&none);
            let spec = Spec::of(calls, watched).map_err(|wrong| format!("{scope}: {wrong}"))?;
            match check(&spec, State::default(), calls, STEPS) {
                Verdict::Linear(_) => {}
                Verdict::Wrong(order) => return Err(explain(scope, calls, &order)),
                Verdict::Undecided => {
                    return Err(format!("{scope}: undecided after {STEPS} steps"));
                }
            }
        }
        Ok(())
    }
}

/// The operations that were asked for by the first answer that fits nowhere.
fn explain(scope: &Scope, calls: &[Call<Op>], order: &[usize]) -> String {
    let mut left: Vec<_> = (0..calls.len())
        .filter(|i| !order.contains(i))
        .map(|i| &calls[i])
        .collect();
    let first = left.iter().filter_map(|call| call.ended).min();
    left.retain(|call| first.is_none_or(|first| call.begun <= first));
    let mut text = format!(
        "{scope}: no order of {} operations gives their answers; after {} of them, none of these \
         can be next:",
        calls.len(),
        order.len()
    );
    for call in left.iter().take(16) {
        text.push_str(&format!("\n  {call:?}"));
    }
    if let Some(last) = order.last() {
        text.push_str(&format!("\nthe last before them: {:?}", calls[*last]));
    }
    text
}

impl Store for Recorder {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            let begun = self.history.tick();
            let found = self.store.get(key, read).await?;
            if read == Read::Latest {
                let mut seen = found.clone();
                if let Some(stored) = &mut seen {
                    canonical(&mut stored.value);
                }
                let op = Op::Get(key.clone(), seen);
                self.history.answered(key.scope(), begun, op);
            }
            Ok(found)
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let begun = self.history.tick();
            let page = self.store.list(query, read).await?;
            if read == Read::Latest {
                let mut seen = page.clone();
                for stored in &mut seen.records {
                    canonical(&mut stored.value);
                }
                let op = Op::List(query.clone(), seen);
                self.history.answered(&query.scope, begun, op);
            }
            Ok(page)
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let mut pending = Pending {
                history: &self.history,
                begun: self.history.tick(),
                batch: Some(canonical_batch(batch.clone())),
            };
            let answer = self.store.commit(batch).await;
            match &answer {
                Ok(_) | Err(Error::Conflict(_) | Error::Taken(_)) => pending.answered(&answer),
                Err(Error::Unknown(_)) => drop(pending),
                // It did not happen.
                Err(_) => pending.batch = None,
            }
            answer
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let history = Arc::clone(&self.history);
        let stream = self.store.watch(scope.clone(), since);
        Box::pin(stream.inspect(move |change| {
            if let Ok(change) = change {
                history.saw(&scope, change);
            }
        }))
    }
}

// === impl Pending ===

impl Pending<'_> {
    fn answered(mut self, answer: &Result<Revision>) {
        if let Some(batch) = self.batch.take() {
            let scope = batch.scope.clone();
            let op = Op::Commit(batch, Some(answer.clone()));
            self.history.answered(&scope, self.begun, op);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            let scope = batch.scope.clone();
            self.history.push(
                &scope,
                Call {
                    begun: self.begun,
                    ended: None,
                    op: Op::Commit(batch, None),
                },
            );
        }
    }
}

// === impl History ===

impl History {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, SeqCst)
    }

    fn answered(&self, scope: &Scope, begun: u64, op: Op) {
        let ended = Some(self.tick());
        self.push(scope, Call { begun, ended, op });
    }

    fn push(&self, scope: &Scope, call: Call<Op>) {
        self.calls().entry(scope.clone()).or_default().push(call);
    }

    fn saw(&self, scope: &Scope, change: &Change) {
        let mut watched = self.watched();
        let of_scope = watched.entry(scope.clone()).or_default();
        of_scope.insert((change.revision, change.op));
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<Scope, HashSet<(Revision, OpId)>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, HashMap<Scope, Vec<Call<Op>>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
