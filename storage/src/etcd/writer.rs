use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::fault::Fault;
use super::head::Head;
use super::load;
use super::mirror::Mirror;
use super::plan::{self, Plan, Verdict};
use super::proto::{Compare, RequestOp, TxnRequest, TxnResponse};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::revision::Revision;

/// Between two attempts that failed, doubled each time.
const REST_MIN: Duration = Duration::from_millis(20);
const REST_MAX: Duration = Duration::from_millis(500);

/// How long one lets another node commit first, at most.
const YIELD_MAX: Duration = Duration::from_millis(250);

/// Losses after which one rests before trying again.
const PATIENCE: u32 = 8;

/// A commit that waits.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Result<Revision>>,
    /// When it is given up.
    pub(super) until: Instant,
    /// It was sent, and whether it happened is not known.
    pub(super) sent: bool,
}

/// Commits what waits in the queue of one scope, many batches in one transaction.
///
/// Each is checked against the mirror, and the transaction compares the scope's head with the
/// mirror's: so whatever was decided here holds there, or nothing of it happens and the mirror is
/// brought up first. Ends with the queue.
///
/// Nodes that commit to the same scope at the same time take turns: one that found the head moved
/// leaves its mark and tries again at once; one that has committed and finds the mark of another
/// waits as long as its own transaction took, so that the other is next.
pub(super) async fn write(mirror: Arc<Mirror>, mut queue: mpsc::Receiver<Job>) {
    let mut group = VecDeque::new();
    loop {
        if group.is_empty() {
            match queue.recv().await {
                Some(job) => group.push_back(job),
                None => return,
            }
        }
        while group.len() < mirror.shared.options.group_batches.max(1)
            && let Ok(job) = queue.try_recv()
        {
            group.push_back(job);
        }
        let mut attempts = Group::new(&mirror);
        attempts.commit(&mut group).await;
        if let Some(wait) = attempts.wait {
            tokio::time::sleep(wait.min(YIELD_MAX)).await;
        }
    }
}

/// The attempts to commit one group.
struct Group<'a> {
    mirror: &'a Mirror,
    /// The view was compared with etcd, and this was its head.
    confirmed: Option<i64>,
    lost: u32,
    rest: Duration,
    /// Another node waits; how long to let it go first.
    wait: Option<Duration>,
}

// === impl Group ===

impl<'a> Group<'a> {
    fn new(mirror: &'a Mirror) -> Self {
        Self {
            mirror,
            confirmed: None,
            lost: 0,
            rest: REST_MIN,
            wait: None,
        }
    }

    /// Returns once at least one of the jobs is answered and taken out.
    async fn commit(&mut self, jobs: &mut VecDeque<Job>) {
        let count = jobs.len();
        while jobs.len() == count {
            let Err(fault) = self.attempt(jobs).await else {
                continue;
            };
            let counters = &self.mirror.shared.counters;
            counters.fault();
            match fault {
                fault @ (Fault::Refused(_) | Fault::Full(_)) => {
                    let error = fault.into_error();
                    tracing::warn!(scope = %self.mirror.scope, %error, "etcd refused commits");
                    give_up(jobs, &error, |_| true);
                }
                fault => {
                    let error = fault.into_error();
                    let now = Instant::now();
                    tracing::debug!(scope = %self.mirror.scope, %error, "trying commits again");
                    give_up(jobs, &error, |job| job.until <= now);
                    if jobs.len() == count {
                        counters.retry();
                        self.rest().await;
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, jobs: &mut VecDeque<Job>) -> Result<(), Fault> {
        let mirror = self.mirror;
        let options = &mirror.shared.options;
        mirror.loaded().await?;
        self.write_records().await?;
        let plan = {
            let view = mirror.view().await?;
            let batches = jobs.iter().map(|job| &job.batch);
            plan::plan(&view, &mirror.layout, options, &mirror.shared.node, batches)
        };
        if plan
            .verdicts
            .iter()
            .any(|v| matches!(v, Verdict::Before(_)))
        {
            // They are done, whatever becomes of the others.
            let done = |verdict| match verdict {
                Verdict::Before(revision) => Verdict::Before(revision),
                _ => Verdict::Later,
            };
            answer(jobs, plan.verdicts.into_iter().map(done).collect());
            return Ok(());
        }
        let found = plan.head.mod_revision;
        if plan.changes.is_empty() {
            let refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
            if self.confirmed != Some(found) && plan.verdicts.iter().any(refused) {
                // Refused, but by what may be old.
                mirror.pull().await?;
                self.confirmed = Some(mirror.head().mod_revision);
                return Ok(());
            }
            answer(jobs, plan.verdicts);
            return Ok(());
        }
        let Plan {
            verdicts,
            mut head,
            changes,
            txn,
        } = plan;
        let begun = Instant::now();
        let sent = mirror.shared.cluster.txn(txn).await;
        match sent {
            Ok(answer) if !answer.succeeded => {
                self.lose(answer).await?;
                // What was sent before compared an older head: it never happens any more, or its
                // operation is in the view.
                jobs.iter_mut().for_each(|job| job.sent = false);
                Ok(())
            }
            Ok(response) => {
                let compared = head.mod_revision;
                head.mod_revision = response.header.clone().unwrap_or_default().revision;
                if self.another_waits(response, compared) {
                    self.wait = Some(begun.elapsed());
                }
                let taken_over = mirror.advance(head, changes).await;
                taken_over.inspect_err(|_| mark_sent(jobs, &verdicts))?;
                let done = verdicts.iter().filter(|v| !matches!(v, Verdict::Later));
                mirror.shared.counters.group(done.count());
                answer(jobs, verdicts);
                Ok(())
            }
            Err(Fault::Full(reason)) => {
                let looked = mirror.pull().await;
                looked.inspect_err(|_| mark_sent(jobs, &verdicts))?;
                let view = mirror.view().await?;
                let happened = jobs.iter().any(|job| view.op(job.batch.op).is_some());
                // If so, the next attempt answers it as done.
                if happened {
                    Ok(())
                } else {
                    Err(Fault::Full(reason))
                }
            }
            Err(fault @ Fault::Unknown(_)) => {
                mark_sent(jobs, &verdicts);
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Another has committed since the view: takes over what.
    async fn lose(&mut self, answer: TxnResponse) -> Result<(), Fault> {
        let mirror = self.mirror;
        mirror.shared.counters.retry();
        self.lost += 1;
        match load::missed(&mirror.scope, answer)? {
            Some((head, changes)) if head != Head::default() => {
                mirror.advance(head, changes).await?;
            }
            // Too much for one answer, or not there at all, which must be looked into.
            _ => mirror.pull().await?,
        }
        if self.lost > mirror.shared.options.retries {
            return Err(Fault::Refused(Error::Unavailable {
                reason: format!(
                    "other nodes committed to {} first, {} times",
                    mirror.scope, self.lost
                ),
            }));
        }
        if self.lost > PATIENCE {
            tokio::time::sleep(jitter(Duration::from_millis(1) * self.lost.min(16))).await;
        }
        Ok(())
    }

    /// Whether another node has found this one's last commit in its way, and not committed since.
    fn another_waits(&self, done: TxnResponse, compared: i64) -> bool {
        let turn = done.ranges().flat_map(|range| range.kvs).next();
        turn.is_some_and(|turn| {
            turn.mod_revision > compared && *turn.value != *self.mirror.shared.node.as_bytes()
        })
    }

    /// Writes the records of a change that was too large to carry them.
    async fn write_records(&self) -> Result<(), Fault> {
        let mirror = self.mirror;
        loop {
            let (before, parts) = {
                let view = mirror.view().await?;
                let parts = plan::records(&view, &mirror.layout, &mirror.shared.options);
                (view.head(), parts)
            };
            if before.written == before.revision {
                return Ok(());
            }
            let mut head = before;
            let count = parts.len();
            for (i, mut part) in parts.into_iter().enumerate() {
                if i + 1 == count {
                    head.written = head.revision;
                }
                let compared = head.mod_revision;
                part.push(RequestOp::put(mirror.layout.head(), head.encode()));
                let txn = TxnRequest {
                    compare: vec![Compare::unchanged(mirror.layout.head(), compared)],
                    success: part,
                    failure: Vec::new(),
                };
                let answer = mirror.shared.cluster.txn(txn).await?;
                if !answer.succeeded {
                    // Another node does it, or an attempt of which we had no answer did.
                    mirror.shared.counters.retry();
                    mirror.pull().await?;
                    break;
                }
                head.mod_revision = answer.header.unwrap_or_default().revision;
                mirror.advance(head, Vec::new()).await?;
            }
        }
    }

    async fn rest(&mut self) {
        tokio::time::sleep(jitter(self.rest)).await;
        self.rest = (self.rest * 2).min(REST_MAX);
    }
}

/// Remembers of those that were to happen that they may have.
fn mark_sent(jobs: &mut VecDeque<Job>, verdicts: &[Verdict]) {
    for (job, verdict) in jobs.iter_mut().zip(verdicts) {
        job.sent |= matches!(verdict, Verdict::Now(_));
    }
}

/// Answers those with a verdict; the others keep their places.
fn answer(jobs: &mut VecDeque<Job>, verdicts: Vec<Verdict>) {
    let later = jobs.split_off(0);
    for (job, verdict) in later.into_iter().zip(verdicts) {
        let result = match verdict {
            Verdict::Before(revision) | Verdict::Now(revision) => Ok(revision),
            Verdict::Refused(error) => Err(error),
            Verdict::Later => {
                jobs.push_back(job);
                continue;
            }
        };
        // Who asked may have gone; the commit stands.
        let _ = job.answer.send(result);
    }
}

/// Answers those that `which` says, as not done, or as unknown if they were sent.
fn give_up(jobs: &mut VecDeque<Job>, error: &Error, which: impl Fn(&Job) -> bool) {
    for job in jobs.split_off(0) {
        if !which(&job) {
            jobs.push_back(job);
            continue;
        }
        let error = match job.sent {
            true => Error::Unknown(job.batch.op),
            false => error.clone(),
        };
        let _ = job.answer.send(Err(error));
    }
}

/// Between half and all of it.
fn jitter(wait: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() as u32;
    wait / 2 + wait.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
}
