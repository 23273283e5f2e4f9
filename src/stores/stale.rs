//! Which reads may be answered by a replica when the authority is away, and what was used.

use std::cell::Cell;

use metal_storage::ReplicaStatus;

tokio::task_local! {
    /// There while a request is answered that changes nothing.
    static USED: Cell<Option<ReplicaStatus>>;
}

/// Whether the request that is being answered may show what is old.
pub(super) fn is_allowed() -> bool {
    USED.try_with(|_| ()).is_ok()
}

/// A replica, which was so old, took part in the answer.
pub(super) fn used(replica: ReplicaStatus) {
    // Outside of a request nobody asks.
    let _ = USED.try_with(|used| used.set(Some(replica)));
}

/// Answers a request that changes nothing: what it reads of a store that is away may come from a
/// replica, and then that one's status is given too.
pub async fn allowed<T>(answer: impl Future<Output = T>) -> (T, Option<ReplicaStatus>) {
    USED.scope(Cell::new(None), async {
        let answer = answer.await;
        (answer, USED.with(Cell::get))
    })
    .await
}
