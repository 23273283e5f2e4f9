use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::options::RedbOptions;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::heads::closed;
use crate::revision::Revision;

/// The queue of commits, and the thread that empties it. The thread ends when the queue is
/// dropped.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    queue_wait: Duration,
    commit_wait: Duration,
}

#[derive(Debug)]
enum Job {
    Commit(Batch, oneshot::Sender<Result<Revision>>),
    /// A reader found that the database must be opened again.
    Recover,
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
        Ok(Self {
            queue,
            queue_wait: options.queue_wait,
            commit_wait: options.commit_wait,
        })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Revision> {
        let op = batch.op;
        let place = match tokio::time::timeout(self.queue_wait, self.queue.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(closed()),
            Err(_) => {
                return Err(Error::Unavailable {
                    reason: format!("{} commits are waiting already", self.queue.max_capacity()),
                });
            }
        };
        let (answer, answered) = oneshot::channel();
        place.send(Job::Commit(batch, answer));
        match tokio::time::timeout(self.commit_wait, answered).await {
            Ok(Ok(result)) => result,
            // Too late, or the writer is gone.
            Ok(Err(_)) | Err(_) => Err(Error::Unknown(op)),
        }
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

fn run(mut engine: Engine, mut jobs: mpsc::Receiver<Job>, bounds: &Bounds) {
    let mut batches = Vec::new();
    let mut answers = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut next = Some(first);
        let mut bytes = 0;
        let mut recover = false;
        let mut close = None;
        while let Some(job) = next {
            match job {
                Job::Commit(batch, answer) => {
                    bytes += batch.size();
                    batches.push(batch);
                    answers.push(answer);
                }
                Job::Recover => recover = true,
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
        if let Some(answer) = close {
            jobs.close();
            engine.close();
            let _ = answer.send(());
            return;
        }
    }
    engine.close();
}
