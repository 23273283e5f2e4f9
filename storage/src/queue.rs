//! How a commit waits: for a place in a writer's queue, then for its answer.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::heads::closed;
use crate::op::OpId;
use crate::revision::Revision;

/// The longest of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// For a place in the queue; then the commit is refused.
    pub(crate) queue: Duration,
    /// For the answer; then it is not known whether it happened.
    pub(crate) commit: Duration,
}

/// Queues what `job` makes, and waits for the answer that its writer sends.
///
/// # Errors
/// The answer's; [`Error::Unavailable`] if the queue stays full or is closed, [`Error::Unknown`]
/// if no answer comes.
pub(crate) async fn commit<J>(
    queue: &mpsc::Sender<J>,
    waits: Waits,
    op: OpId,
    job: impl FnOnce(oneshot::Sender<Result<Revision>>) -> J,
) -> Result<Revision> {
    let place = match timeout(waits.queue, queue.reserve()).await {
        Ok(Ok(place)) => place,
        Ok(Err(_)) => return Err(closed()),
        Err(_) => {
            return Err(Error::Unavailable {
                reason: format!("{} commits are waiting already", queue.max_capacity()),
            });
        }
    };
    let (answer, answered) = oneshot::channel();
    place.send(job(answer));
    match timeout(waits.commit, answered).await {
        Ok(Ok(result)) => result,
        // Too late, or the writer is gone.
        Ok(Err(_)) | Err(_) => Err(Error::Unknown(op)),
    }
}
