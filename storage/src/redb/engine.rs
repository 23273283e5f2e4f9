use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::Database;

use super::apply::{Applied, Tables};
use super::compaction::Compaction;
use super::copied::Copied;
use super::copy;
use super::fault::Fault;
use super::fence::Fence;
use super::file;
use super::layout::FORMAT;
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

/// Bytes of a file that is worth making smaller.
const WORTH: u64 = 16 * 1024 * 1024;

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

/// Commits are refused until then, because of this.
struct Backoff {
    cause: String,
    until: Instant,
    wait: Duration,
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

    /// Copies the file into a smaller one, if that pays.
    pub(super) fn compact(&mut self) -> Result<Compaction> {
        let unavailable = |reason| Error::Unavailable { reason };
        self.ready().map_err(unavailable)?;
        let (Some(path), Some((database, _))) = (self.path.clone(), self.open.clone()) else {
            return Err(Error::Invalid("only a file has a size to spare".into()));
        };
        let before = self.medium.len().map_err(|e| unavailable(e.to_string()))?;
        let stored = stored(&database).map_err(Fault::into_error)?;
        if before < WORTH || stored > before / 2 {
            let after = before;
            return Ok(Compaction { before, after });
        }
        if stored > self.options.compact_bytes {
            return Err(Error::Invalid(format!(
                "{stored} bytes are stored, and commits may wait for at most {} to be copied",
                self.options.compact_bytes
            )));
        }
        let cache = self.options.cache_bytes;
        let medium = copy::to_new_file(&path, &database, FORMAT, cache);
        let medium = medium.map_err(Fault::into_error)?;
        drop(database);
        // The old file has no name any more, so nothing may be written to it; who still reads it
        // may finish.
        let old = self.open.take();
        self.medium = medium;
        self.committed(true);
        self.reopen().map_err(unavailable)?;
        if let Some((database, _)) = old {
            close(database);
        }
        let after = self.medium.len().map_err(|e| unavailable(e.to_string()))?;
        tracing::info!(before, after, "the store's file was compacted");
        Ok(Compaction { before, after })
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

    /// Opens the database again if a reader found that it must be.
    pub(super) fn recover_for_readers(&mut self) {
        let failed = self.open.as_ref().and_then(|(_, fence)| fence.cause());
        match failed {
            Some(cause) => {
                self.give_up(cause);
                // The result shows in the view.
                let _ = self.reopen();
            }
            None if self.open.is_none() => {
                let _ = self.ready();
            }
            None => {}
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

    /// Whether commits can be tried: opens the database again if it is time for that.
    fn ready(&mut self) -> Result<(), String> {
        if let Some(fault) = &self.fault
            && Instant::now() < fault.until
        {
            return Err(fault.cause.clone());
        }
        if self.open.is_some() {
            return Ok(());
        }
        self.reopen()
    }

    /// After a fault: finds out what became of the group, if that can be found out now.
    fn settle(
        &mut self,
        batches: &[Batch],
        results: Option<&[Result<Applied>]>,
        cause: String,
    ) -> Vec<Result<Revision>> {
        self.give_up(cause.clone());
        let reopened = self.reopen();
        let may_have = |i: usize| {
            results.is_some_and(|results| {
                matches!(results[i], Ok(Applied::Now(_) | Applied::Before(_)))
            })
        };
        if reopened.is_err() {
            let unknown = (0..batches.len()).filter(|i| may_have(*i));
            self.unknown = unknown.map(|i| batches[i].op).collect();
            return batches
                .iter()
                .map(|batch| Err(self.not_done(batch.op, &cause)))
                .collect();
        }
        let mut answers = Vec::with_capacity(batches.len());
        for batch in batches {
            let found = self.view.read(|txn| read::op(txn, &batch.scope, batch.op));
            answers.push(match found {
                Ok(Some(revision)) => Ok(revision),
                Ok(None) => Err(self.not_done(batch.op, &cause)),
                Err(_) => Err(Error::Unknown(batch.op)),
            });
        }
        answers
    }

    /// Gives the open database up; nothing of it reaches the medium any more.
    fn give_up(&mut self, cause: String) {
        self.counters.fault();
        let wait = match &self.fault {
            Some(fault) => (fault.wait * 2).min(self.options.backoff_max),
            None => self.options.backoff_min,
        };
        tracing::warn!(cause, retry_in = ?wait, "the store's file failed");
        self.fault = Some(Backoff {
            cause,
            until: Instant::now() + wait,
            wait,
        });
        self.dirty = false;
        if let Some((database, fence)) = self.open.take() {
            fence.lower();
            self.durable = Some(fence.durable_header());
            drop(database);
        }
    }

    /// Opens the database again; if that fails, shows it as it was last durable.
    fn reopen(&mut self) -> Result<(), String> {
        let cache = self.options.cache_bytes;
        let fault = match file::database(&self.medium, self.durable.clone(), cache) {
            Ok((database, fence)) => {
                let database = Arc::new(database);
                self.view.open(Arc::clone(&database));
                self.open = Some((database, fence));
                self.durable = None;
                self.unknown.clear();
                self.counters.recovery();
                match self.announce_heads() {
                    Ok(()) => {
                        tracing::info!("the store's file is open again");
                        return Ok(());
                    }
                    Err(fault) => fault,
                }
            }
            Err(fault) => fault,
        };
        let cause = cause(fault);
        self.give_up(cause.clone());
        self.show_what_is_durable(&cause);
        Err(cause)
    }

    fn show_what_is_durable(&self, cause: &str) {
        let Some(header) = self.durable.clone() else {
            // It was replaced, and could not be opened even once.
            self.view.down(cause.to_owned());
            return;
        };
        match file::read_only(&self.medium, header, self.options.cache_bytes) {
            Ok(database) => self.view.open(Arc::new(database)),
            Err(fault) => {
                let error = fault.into_error();
                tracing::error!(cause, %error, "the store cannot be read");
                self.view.down(cause.to_owned());
            }
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

    fn not_done(&self, op: OpId, cause: &str) -> Error {
        if self.unknown.contains(&op) {
            Error::Unknown(op)
        } else {
            Error::Unavailable {
                reason: cause.to_owned(),
            }
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

/// Bytes that a copy of the database would have, about.
fn stored(database: &Database) -> Result<u64, Fault> {
    let txn = database.begin_write()?;
    let stats = txn.stats()?;
    txn.abort()?;
    Ok(stats.allocated_pages() * stats.page_size() as u64)
}

fn cause(fault: Fault) -> String {
    match fault {
        Fault::Medium(cause) | Fault::Down(cause) => cause,
        fault => fault.into_error().to_string(),
    }
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
