//! What survives; nothing to show for a backend of which nothing does.

use super::Backend;
use super::kit::*;
use crate::{Revision, Scope};

pub async fn what_is_acknowledged_is_there_after_reopening(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store
        .commit(puts([thing("a", "one", 1), thing("b", "two", 1)]))
        .await
        .unwrap();
    store.commit(delete(key("a"))).await.unwrap();
    drop(store);
    let Some(store) = backend.reopened().await else {
        return;
    };
    assert_eq!(ids(&store, &query()).await, ["b"]);
    store.commit(put(thing("a", "two", 1))).await.unwrap_err();
    let next = store.commit(put(thing("c", "one", 1))).await.unwrap();
    assert_eq!(next.get(), 3);
}

pub async fn operations_and_history_are_there_after_reopening(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let batch = put(thing("a", "one", 1));
    let first = store.commit(batch.clone()).await.unwrap();
    write_times(&store, 9).await;
    drop(store);
    let Some(store) = backend.reopened().await else {
        return;
    };
    assert_eq!(store.commit(batch).await.unwrap(), first);
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    assert_eq!(
        revisions(&mut stream, 10).await,
        (1..=10).collect::<Vec<_>>()
    );
}
