//! Committing, and finding out what became of it.

use std::sync::Arc;

use metal_storage::{Batch, Error, Result, Revision, Store};

/// Times that a commit is repeated when its outcome is unknown.
const REPEATS: u32 = 2;

/// Commits `batch`. If the store cannot tell whether that happened, it is repeated: a batch keeps
/// its operation id, so that it is applied once at the most.
///
/// # Errors
/// As [`Store::commit`].
pub(crate) async fn commit(store: &Arc<dyn Store>, batch: Batch) -> Result<Revision> {
    for _ in 0..REPEATS {
        match store.commit(batch.clone()).await {
            Err(Error::Unknown(op)) => tracing::warn!(%op, "outcome unknown, asking again"),
            outcome => return outcome,
        }
    }
    store.commit(batch).await
}
