use std::sync::Arc;
use std::time::Duration;

use metal_storage::{Error, OpId, Result, Scope, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::engine::Engine;
use super::limits::{GROUP, MOVES, WAITING};
use super::request::Request;
use super::{Applied, Extra, Interval, IpamError, Metrics, Move};

/// How long a request waits for a place among those that wait.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Changes the pools of one scope. Requests that wait at the same moment share a commit.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Allocator {
    queue: mpsc::Sender<Request>,
}

// === impl Allocator ===

impl Allocator {
    /// Starts the task that commits what is asked of it.
    pub(super) fn start(
        store: Arc<dyn Store>,
        scope: Scope,
        metrics: Metrics,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let span = tracing::info_span!("ipam allocator", %scope);
        let engine = Engine::new(store, scope, metrics.clone());
        let alive = Alive::new(metrics);
        let task = async move {
            let _alive = alive;
            run(engine, waiting, stop).await;
        };
        tasks.spawn(task.instrument(span));
        Self { queue }
    }

    /// Carries out the moves, and what `with` makes of what they acquired (in the order of the
    /// moves), in one atomic batch: all of it or nothing. `with` may be called several times, of
    /// which the last counts; it must neither block nor panic.
    ///
    /// Moves of one pool see what those before them did. The batch that several requests share is
    /// as if they had come one after another: one that is refused does not keep back the others.
    /// Dropped while pending, it happens or it does not. Costs a commit, shared, and a few reads
    /// of O(log n) where this node does not remember the pool as it is now.
    ///
    /// # Errors
    /// As [`IpamError`] says.
    pub async fn apply(
        &self,
        moves: Vec<Move>,
        with: impl FnMut(&[Interval]) -> Result<Extra> + Send + 'static,
    ) -> Result<Applied, IpamError> {
        if moves.len() > MOVES {
            let text = format!(
                "a request has at most {MOVES} moves, this one {}",
                moves.len()
            );
            return Err(IpamError::Invalid(text));
        }
        let place = match timeout(QUEUE_WAIT, self.queue.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(closed()),
            Err(_) => {
                let text = format!("{WAITING} requests to address pools wait already");
                return Err(IpamError::TooBusy(text));
            }
        };
        let (answer, answered) = oneshot::channel();
        place.send(Request {
            moves,
            with: Box::new(with),
            answer,
            place: 0,
            alone: false,
        });
        // The task is gone in the midst of it.
        let lost = |_| Err(Error::Unknown(OpId::new()).into());
        answered.await.unwrap_or_else(lost)
    }

    /// Whether its task lives.
    pub(super) fn is_alive(&self) -> bool {
        !self.queue.is_closed()
    }
}

/// Serves what waits, in groups, until there are no more callers or it is stopped.
async fn run(mut engine: Engine, mut waiting: mpsc::Receiver<Request>, stop: CancellationToken) {
    let mut place = 0;
    loop {
        let first = tokio::select! {
            biased;
            () = stop.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
            first = waiting.recv() => first,
        };
        let Some(first) = first else { return };
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        for request in &mut group {
            request.place = place;
            place += 1;
        }
        engine.serve(group).await;
    }
}

fn closed() -> IpamError {
    let reason = "the node is stopping".to_owned();
    Error::Unavailable { reason }.into()
}

/// Counts a task that lives, however it ends.
struct Alive(Metrics);

// === impl Alive ===

impl Alive {
    fn new(metrics: Metrics) -> Self {
        metrics.alive.inc();
        Self(metrics)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.dec();
    }
}
