mod compact;
mod recovery;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::Database;

use self::recovery::{Backoff, cause};
use super::apply::{Applied, Tables};
use super::copied::Copied;
use super::fault::Fault;
use super::fence::Fence;
use super::file;
use super::medium::Medium;
use super::options::{Durability, RedbOptions};
use super::read;
use super::view::View;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::heads::Heads;
use crate::op::OpId;
use crate::revision::Revision;
use crate::scope::Scope;
use crate::stats::Counters;

/// The one that writes: applies groups of batches, and opens the database again after a fault.
///
/// Every group is one redb transaction with two-phase commit: the header that shows a group is
/// written only after everything that it points to is durable. So a database that opens again
/// shows the last group whole or not at all, and opening writes the header and makes it durable,
/// which settles what became of the last group.
pub(super) struct Engine {
    medium: Arc<dyn Medium>,
    path: Option<PathBuf>,
    options: RedbOptions,
    view: Arc<View>,
    heads: Arc<Heads>,
    counters: Arc<Counters>,
    open: Option<(Arc<Database>, Arc<Fence>)>,
    /// The header that was last made durable, while nothing is open.
    durable: Option<Vec<u8>>,
    fault: Option<Backoff>,
    /// When everything was durable last.
    flushed: Instant,
    /// Whether anything was committed since that is not.
    dirty: bool,
    /// Operations of which it is unknown whether they happened; at most a group.
    unknown: Vec<OpId>,
}

// === impl Engine ===

impl Engine {
    pub(super) fn new(
        medium: Arc<dyn Medium>,
        path: Option<PathBuf>,
        options: RedbOptions,
        heads: Arc<Heads>,
        counters: Arc<Counters>,
    ) -> Result<(Self, Arc<View>), Fault> {
        let (database, fence) = file::database(&medium, None, options.cache_bytes)?;
        let database = Arc::new(database);
        let view = Arc::new(View::new(Arc::clone(&database)));
        let engine = Self {
            medium,
            path,
            options,
            view: Arc::clone(&view),
            heads,
            counters,
            open: Some((database, fence)),
            durable: None,
            fault: None,
            flushed: Instant::now(),
            dirty: false,
            unknown: Vec::new(),
        };
        engine.announce_heads()?;
        Ok((engine, view))
    }

    /// Commits batches, each as if the others were commits of their own, with one
    /// acknowledgement of the medium.
    pub(super) fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Revision>> {
        if let Err(cause) = self.ready() {
            return batches
                .iter()
                .map(|batch| Err(self.not_done(batch.op, &cause)))
                .collect();
        }
        let Some((database, fence)) = self.open.clone() else {
            unreachable!("ready() leaves it open");
        };
        let durable = self.is_durable_next();
        let applied = match Self::apply(&database, batches, &self.options, durable) {
            Ok(Group::Nothing(results)) => return results,
            Ok(Group::Commit(txn, results)) => {
                let committed = (*txn).commit().map_err(Fault::from);
                drop(database);
                match committed {
                    Ok(()) => {
                        self.counters.group(results.len());
                        self.fault = None;
                        self.committed(durable);
                        self.acknowledge(batches, &results);
                        return revisions(results);
                    }
                    Err(fault) => (fault, Some(results)),
                }
            }
            Err(fault) => {
                drop(database);
                (fault, None)
            }
        };
        let (fault, results) = applied;
        let cause = cause(file::explain(fault, &fence));
        drop(fence);
        self.settle(batches, results.as_deref(), cause)
    }

    /// Keeps a part of a scope that another store has the authority for.
    pub(super) fn replicate(&mut self, copied: &Copied) -> Result<()> {
        let unavailable = |reason| Error::Unavailable { reason };
        self.ready().map_err(unavailable)?;
        let Some((database, fence)) = self.open.clone() else {
            unreachable!("ready() leaves it open");
        };
        let durable = self.is_durable_next();
        let kept = begin(&database, durable).and_then(|txn| {
            Tables::open(&txn)?.replicate(copied, &self.options)?;
            Ok(txn.commit()?)
        });
        drop(database);
        match kept {
            Ok(()) => {
                self.fault = None;
                self.committed(durable);
                if let Some(newest) = copied.changes.last() {
                    self.heads.advance(&copied.scope, newest.revision);
                }
                Ok(())
            }
            Err(Fault::Refused(error)) => Err(error),
            Err(fault) => {
                let cause = cause(file::explain(fault, &fence));
                self.give_up(cause.clone());
                // The result shows in the view.
                let _ = self.reopen();
                Err(unavailable(cause))
            }
        }
    }

    /// Makes durable what is not.
    pub(super) fn flush(&mut self) {
        if !self.dirty {
            return;
        }
        let Some((database, fence)) = self.open.clone() else {
            return;
        };
        let flushed = begin(&database, true).and_then(|txn| Ok(txn.commit()?));
        drop(database);
        match flushed {
            Ok(()) => self.committed(true),
            Err(fault) => {
                self.give_up(cause(file::explain(fault, &fence)));
                // The result shows in the view.
                let _ = self.reopen();
            }
        }
    }

    fn is_durable_next(&self) -> bool {
        match self.options.durability {
            Durability::Immediate => true,
            Durability::Within(period) => self.flushed.elapsed() >= period,
        }
    }

    fn committed(&mut self, durable: bool) {
        self.dirty = !durable;
        if durable {
            self.flushed = Instant::now();
        }
    }

    /// Closes the database, with everything that a quick opening needs.
    pub(super) fn close(mut self) {
        self.flush();
        self.view.close();
        self.heads.close();
        if let Some((database, fence)) = self.open.take() {
            close(database);
            fence.lower();
        }
        self.medium.release();
    }

    fn apply(
        database: &Database,
        batches: &[Batch],
        options: &RedbOptions,
        durable: bool,
    ) -> Result<Group, Fault> {
        let txn = begin(database, durable)?;
        let mut results = Vec::with_capacity(batches.len());
        {
            let mut tables = Tables::open(&txn)?;
            for batch in batches {
                match tables.apply(batch, options) {
                    Ok(applied) => results.push(Ok(applied)),
                    Err(Fault::Refused(error)) => results.push(Err(error)),
                    Err(fault) => return Err(fault),
                }
            }
        }
        if results
            .iter()
            .any(|result| matches!(result, Ok(Applied::Now(_))))
        {
            Ok(Group::Commit(Box::new(txn), results))
        } else {
            txn.abort()?;
            Ok(Group::Nothing(revisions(results)))
        }
    }

    fn announce_heads(&self) -> Result<(), Fault> {
        self.heads.restart(&self.view.read(read::heads)?);
        Ok(())
    }

    fn acknowledge(&self, batches: &[Batch], results: &[Result<Applied>]) {
        let mut newest: Vec<(&Scope, Revision)> = Vec::new();
        for (batch, result) in batches.iter().zip(results) {
            if let Ok(Applied::Now(revision)) = result {
                match newest.iter_mut().find(|(scope, _)| *scope == &batch.scope) {
                    Some((_, newest)) => *newest = *revision,
                    None => newest.push((&batch.scope, *revision)),
                }
            }
        }
        for (scope, revision) in newest {
            self.heads.advance(scope, revision);
        }
    }
}

/// A group whose batches have been applied or refused.
enum Group {
    /// None was applied: there is nothing to commit.
    Nothing(Vec<Result<Revision>>),
    Commit(Box<redb::WriteTransaction>, Vec<Result<Applied>>),
}

fn revisions(results: Vec<Result<Applied>>) -> Vec<Result<Revision>> {
    let revision = |result: Result<Applied>| result.map(Applied::revision);
    results.into_iter().map(revision).collect()
}

fn begin(database: &Database, durable: bool) -> Result<redb::WriteTransaction, Fault> {
    let mut txn = database.begin_write()?;
    if durable {
        txn.set_durability(redb::Durability::Immediate)?;
        txn.set_quick_repair(true);
    } else {
        txn.set_durability(redb::Durability::None)?;
    }
    Ok(txn)
}

/// Closes a database in order; readers that still have it get a second to finish.
fn close(mut database: Arc<Database>) {
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        match Arc::try_unwrap(database) {
            Ok(database) => {
                if let Err(error) = database.close() {
                    tracing::warn!(%error, "the store's file was not closed in order");
                }
                return;
            }
            Err(_) if Instant::now() > deadline => return,
            Err(shared) => database = shared,
        }
        #[expect(clippy::disallowed_methods, reason = "on the writer's own thread")]
        std::thread::sleep(Duration::from_millis(1));
    }
}
