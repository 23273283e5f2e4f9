//! What becomes of the database and of its commits after a fault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Engine;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::op::OpId;
use crate::redb::apply::Applied;
use crate::redb::fault::Fault;
use crate::redb::{file, read};
use crate::revision::Revision;

/// Commits are refused until then, because of this.
pub(super) struct Backoff {
    cause: String,
    until: Instant,
    wait: Duration,
}

// === impl Engine ===

impl Engine {
    /// Opens the database again if a reader found that it must be.
    pub(in crate::redb) fn recover_for_readers(&mut self) {
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

    /// Whether commits can be tried: opens the database again if it is time for that.
    pub(super) fn ready(&mut self) -> Result<(), String> {
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
    pub(super) fn settle(
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
    pub(super) fn give_up(&mut self, cause: String) {
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
    pub(super) fn reopen(&mut self) -> Result<(), String> {
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

    pub(super) fn not_done(&self, op: OpId, cause: &str) -> Error {
        if self.unknown.contains(&op) {
            Error::Unknown(op)
        } else {
            Error::Unavailable {
                reason: cause.to_owned(),
            }
        }
    }
}

pub(super) fn cause(fault: Fault) -> String {
    match fault {
        Fault::Medium(cause) | Fault::Down(cause) => cause,
        fault => fault.into_error().to_string(),
    }
}
