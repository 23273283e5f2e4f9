use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::group::Groups;
use crate::batch::Batch;
use crate::error::Result;
use crate::heads::closed;
use crate::queue::{self, Waits};
use crate::revision::Revision;
use crate::scope::Scope;

/// A queue of commits for each scope, and a task that empties it. The tasks end when the queues
/// are dropped.
#[derive(Debug)]
pub(super) struct Writers {
    groups: Arc<Groups>,
    open: Mutex<Option<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    queues: HashMap<Scope, mpsc::Sender<Job>>,
    tasks: JoinSet<()>,
}

type Job = (Batch, oneshot::Sender<Result<Revision>>);

// === impl Writers ===

impl Writers {
    pub(super) fn new(groups: Arc<Groups>) -> Self {
        Self {
            groups,
            open: Mutex::new(Some(Open::default())),
        }
    }

    /// Queues a batch that is in bounds, and waits for its answer.
    pub(super) async fn commit(&self, batch: Batch) -> Result<Revision> {
        let op = batch.op;
        let options = &self.groups.options;
        let queue = self.queue(&batch.scope)?;
        let waits = Waits {
            queue: options.queue_wait,
            commit: options.commit_wait,
        };
        queue::commit(&queue, waits, op, |answer| (batch, answer)).await
    }

    /// Commits what waits, and refuses what comes.
    pub(super) async fn close(&self) {
        let open = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Open { queues, mut tasks }) = open {
            drop(queues);
            while tasks.join_next().await.is_some() {}
        }
    }

    /// Commits that wait.
    pub(super) fn waiting(&self) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = open.iter().flat_map(|open| open.queues.values());
        queues
            .map(|queue| queue.max_capacity() - queue.capacity())
            .sum()
    }

    fn queue(&self, scope: &Scope) -> Result<mpsc::Sender<Job>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { queues, tasks } = open.as_mut().ok_or_else(closed)?;
        if let Some(queue) = queues.get(scope) {
            return Ok(queue.clone());
        }
        let (queue, jobs) = mpsc::channel(self.groups.options.queue.max(1));
        tasks.spawn(run(Arc::clone(&self.groups), scope.clone(), jobs));
        queues.insert(scope.clone(), queue.clone());
        Ok(queue)
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open {
            // They end by themselves, having answered what waits.
            open.tasks.detach_all();
        }
    }
}

async fn run(groups: Arc<Groups>, scope: Scope, mut jobs: mpsc::Receiver<Job>) {
    let most = groups.options.group_batches.max(1);
    let mut batches = Vec::new();
    let mut answers = Vec::new();
    while let Some(first) = jobs.recv().await {
        let mut next = Some(first);
        let mut bytes = 0;
        while let Some((batch, answer)) = next {
            bytes += batch.size();
            batches.push(batch);
            answers.push(answer);
            let full = batches.len() >= most || bytes > groups.options.group_bytes;
            next = if full { None } else { jobs.try_recv().ok() };
        }
        let results = groups.commit(&scope, &batches).await;
        for (answer, result) in answers.drain(..).zip(results) {
            // Who asked may have gone; the commit stands.
            let _ = answer.send(result);
        }
        batches.clear();
        // Who was answered may ask again at once, and then shares the next group.
        tokio::task::yield_now().await;
    }
}
