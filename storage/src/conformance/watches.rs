//! Change streams.

use futures::StreamExt;

use super::Backend;
use super::kit::*;
use crate::{Error, Revision, Scope, Write};

pub async fn every_change_after_a_revision_is_seen_in_order(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut batches = Vec::new();
    for i in 0..100 {
        let batch = puts([thing("a", "one", i), plain(key("b"), &i.to_string())]);
        store.commit(batch.clone()).await.unwrap();
        batches.push(batch);
    }
    let mut stream = store.watch(Scope::Global, Revision::new(10));
    for (i, batch) in batches.iter().enumerate().skip(10) {
        let change = next(&mut stream).await.unwrap();
        assert_eq!(change.revision.get(), i as u64 + 1);
        assert_eq!(change.op, batch.op);
        assert_eq!(change.writes.len(), 2);
        for (seen, written) in change.writes.iter().zip(&batch.writes) {
            match (seen, written) {
                (Write::Put(seen), Write::Put(written)) => assert!(same(seen, written)),
                other => panic!("{other:?}"),
            }
        }
    }
}

pub async fn a_deletion_is_a_change(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(plain(key("a"), "x"))).await.unwrap();
    store.commit(delete(key("a"))).await.unwrap();
    store.commit(delete(key("never"))).await.unwrap();
    let mut stream = store.watch(Scope::Global, Revision::new(1));
    for id in ["a", "never"] {
        let change = next(&mut stream).await.unwrap();
        assert_eq!(change.writes, [Write::Delete(key(id))]);
    }
}

pub async fn a_watcher_waits_for_what_is_to_come(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    let writer = std::sync::Arc::clone(&store);
    let writes = tokio::spawn(async move { write_times(&writer, 5).await });
    assert_eq!(revisions(&mut stream, 5).await, [1, 2, 3, 4, 5]);
    writes.await.unwrap();
    assert!(futures::poll!(stream.next()).is_pending());
    store.commit(put(plain(key("a"), "x"))).await.unwrap();
    assert_eq!(revisions(&mut stream, 1).await, [6]);
}

pub async fn only_changes_of_the_scope_are_seen(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let fra = || plain(key_in(scope("fra"), "thing", "a"), "x");
    let mut stream = store.watch(scope("fra"), Revision::ZERO);
    store.commit(put(plain(key("a"), "x"))).await.unwrap();
    let longer = plain(key_in(scope("fra-1"), "thing", "a"), "x");
    store.commit(put(longer)).await.unwrap();
    store.commit(put(fra())).await.unwrap();
    let change = next(&mut stream).await.unwrap();
    assert_eq!(change.revision.get(), 1);
    assert_eq!(change.writes[0].key(), &fra().key);
    assert!(futures::poll!(stream.next()).is_pending());
}

pub async fn a_watcher_resumes_without_gap_or_repetition(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    write_times(&store, 200).await;
    let mut since = Revision::ZERO;
    let mut seen = Vec::new();
    for take in [1, 2, 3, 60, 64, 70] {
        let mut stream = store.watch(Scope::Global, since);
        seen.extend(revisions(&mut stream, take).await);
        since = Revision::new(*seen.last().unwrap());
    }
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
}

pub async fn forgotten_changes_are_an_error_that_names_the_oldest(backend: &dyn Backend) {
    let store = backend.fresh(10).await;
    let last = write_times(&store, 50).await;
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    let oldest = match next(&mut stream).await {
        Err(Error::Compacted(oldest)) => oldest,
        other => panic!("{other:?}"),
    };
    assert!(
        bounded(stream.next()).await.is_none(),
        "the stream ends after an error"
    );
    assert!(
        oldest.get() + 10 <= last.get(),
        "ten are remembered, {oldest} of {last}"
    );
    let mut stream = store.watch(Scope::Global, oldest);
    let rest = (last.get() - oldest.get()) as usize;
    let seen = revisions(&mut stream, rest).await;
    assert_eq!(seen, (oldest.get() + 1..=last.get()).collect::<Vec<_>>());
}

pub async fn a_watcher_that_is_too_slow_is_told(backend: &dyn Backend) {
    let store = backend.fresh(10).await;
    write_times(&store, 1).await;
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    assert_eq!(revisions(&mut stream, 1).await, [1]);
    write_times(&store, 1_000).await;
    // It may show what it had taken already, in order, and then says that it lost the rest.
    let mut expected = 2;
    loop {
        match next(&mut stream).await {
            Ok(change) => assert_eq!(change.revision.get(), expected),
            Err(Error::Compacted(oldest)) => {
                assert!(oldest.get() > expected);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
        expected += 1;
    }
}

pub async fn a_revision_never_reached_is_an_error(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let reached = write_times(&store, 3).await;
    let mut stream = store.watch(Scope::Global, Revision::new(100));
    let expected = Error::Behind {
        scope: Scope::Global,
        reached,
    };
    assert_eq!(next(&mut stream).await.unwrap_err(), expected);
}

pub async fn a_forgotten_operation_is_new_again_or_still_known(backend: &dyn Backend) {
    let store = backend.fresh(10).await;
    let batch = put(plain(key("a"), "x"));
    let first = store.commit(batch.clone()).await.unwrap();
    write_times(&store, 9).await;
    assert_eq!(
        store.commit(batch.clone()).await.unwrap(),
        first,
        "within the bound"
    );
    let last = write_times(&store, 500).await;
    let again = store.commit(batch).await.unwrap();
    assert!(again == first || again == last.next(), "{again}");
}
