use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::compaction::Compaction;
use super::copied::Copied;
use super::engine::Engine;
use super::options::{Durability, RedbOptions};
use crate::batch::Batch;
use crate::error::Result;
use crate::heads::closed;
use crate::queue::{self, Waits};
use crate::revision::Revision;

/// The queue of commits, and the thread that empties it. The thread ends when the queue is
/// dropped.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    waits: Waits,
}

#[derive(Debug)]
enum Job {
    Commit(Batch, oneshot::Sender<Result<Revision>>),
    /// A reader found that the database must be opened again.
    Recover,
    /// It is time to make durable what is not.
    Flush,
    Compact(oneshot::Sender<Result<Compaction>>),
    Replicate(Copied, oneshot::Sender<Result<()>>),
    Close(oneshot::Sender<()>),
}

// === impl Writer ===

impl Writer {
    pub(super) fn start(engine: Engine, options: &RedbOptions) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let bounds = Bounds {
            batches: options.group_batches.max(1),
            bytes: options.group_bytes,
        };
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(engine, jobs, &bounds))?;
        if let Durability::Within(period) = options.durability {
            let queue = queue.downgrade();
            std::thread::Builder::new()
                .name("store-flush".into())
                .spawn(move || remind(&queue, period))?;
        }
        Ok(Self {
            queue,
            waits: Waits {
                queue: options.queue_wait,
                commit: options.commit_wait,
            },
        })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Revision> {
        let op = batch.op;
        let job = |answer| Job::Commit(batch, answer);
        queue::commit(&self.queue, self.waits, op, job).await
    }

    /// Copies the file into a smaller one, if that pays.
    pub(super) async fn compact(&self) -> Result<Compaction> {
        let (answer, answered) = oneshot::channel();
        let sent = self.queue.send(Job::Compact(answer)).await;
        sent.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Keeps a part of a scope that another store has the authority for.
    pub(super) async fn replicate(&self, copied: Copied) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let sent = self.queue.send(Job::Replicate(copied, answer)).await;
        sent.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Asks for the database to be opened again, unless that is as good as asked for.
    pub(super) fn recover(&self) {
        let _ = self.queue.try_send(Job::Recover);
    }

    /// Commits what waits and closes the database.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Job::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }

    /// Commits that wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

struct Bounds {
    batches: usize,
    bytes: usize,
}

/// Asks now and then for what is not durable to be made so, until the store is closed.
fn remind(queue: &mpsc::WeakSender<Job>, period: Duration) {
    loop {
        #[expect(clippy::disallowed_methods, reason = "on a thread of its own")]
        std::thread::sleep(period);
        match queue.upgrade() {
            // If the queue is full, the next commit is late enough to be durable itself.
            Some(queue) if !queue.is_closed() => drop(queue.try_send(Job::Flush)),
            _ => return,
        }
    }
}

fn run(mut engine: Engine, mut jobs: mpsc::Receiver<Job>, bounds: &Bounds) {
    let mut batches = Vec::new();
    let mut answers = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut next = Some(first);
        let mut bytes = 0;
        let mut recover = false;
        let mut flush = false;
        let mut compact = None;
        let mut replicate = None;
        let mut close = None;
        while let Some(job) = next {
            match job {
                Job::Commit(batch, answer) => {
                    bytes += batch.size();
                    batches.push(batch);
                    answers.push(answer);
                }
                Job::Recover => recover = true,
                Job::Flush => flush = true,
                Job::Compact(answer) => {
                    compact = Some(answer);
                    break;
                }
                Job::Replicate(copied, answer) => {
                    replicate = Some((copied, answer));
                    break;
                }
                Job::Close(answer) => {
                    close = Some(answer);
                    break;
                }
            }
            let full = batches.len() >= bounds.batches || bytes > bounds.bytes;
            next = if full { None } else { jobs.try_recv().ok() };
        }
        if recover {
            engine.recover_for_readers();
        }
        if !batches.is_empty() {
            let results = engine.commit(&batches);
            for (answer, result) in answers.drain(..).zip(results) {
                // Who asked may have gone; the commit stands.
                let _ = answer.send(result);
            }
            batches.clear();
        }
        if flush {
            engine.flush();
        }
        if let Some(answer) = compact {
            let _ = answer.send(engine.compact());
        }
        if let Some((copied, answer)) = replicate {
            let _ = answer.send(engine.replicate(&copied));
        }
        if let Some(answer) = close {
            jobs.close();
            engine.close();
            let _ = answer.send(());
            return;
        }
    }
    engine.close();
}
