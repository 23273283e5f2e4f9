//! Revisions, versions, guards and operation ids.

use super::Backend;
use super::kit::*;
use crate::{Error, OpId, Scope, Version, Write};

pub async fn revisions_of_a_scope_are_gapless(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for i in 1..=20 {
        let revision = store.commit(put(plain(key("a"), "x"))).await.unwrap();
        assert_eq!(revision.get(), i);
        let refused = absent(put(plain(key("b"), "x")), key("a"));
        store.commit(refused).await.unwrap_err();
    }
}

pub async fn scopes_count_independently(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for i in 1..=3 {
        for scope in [Scope::Global, scope("fra"), scope("muc")] {
            let record = plain(key_in(scope, "thing", "a"), "x");
            assert_eq!(store.commit(put(record)).await.unwrap().get(), i);
        }
    }
}

pub async fn a_version_is_the_revision_that_wrote_it(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let first = store
        .commit(puts([plain(key("a"), "1"), plain(key("b"), "1")]))
        .await
        .unwrap();
    let second = store.commit(put(plain(key("b"), "2"))).await.unwrap();
    assert_eq!(get(&store, &key("a")).await.unwrap().version, first.into());
    assert_eq!(get(&store, &key("b")).await.unwrap().version, second.into());
}

pub async fn a_repeated_operation_is_answered_with_its_first_revision(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let batch = absent(put(plain(key("a"), "1")), key("a"));
    let first = store.commit(batch.clone()).await.unwrap();
    store.commit(delete(key("a"))).await.unwrap();
    assert_eq!(store.commit(batch).await.unwrap(), first);
    assert_eq!(get(&store, &key("a")).await, None);
    assert_eq!(
        store.commit(put(plain(key("b"), "1"))).await.unwrap().get(),
        3
    );
}

pub async fn a_repeated_operation_with_other_content_applies_nothing(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let batch = put(plain(key("a"), "1"));
    let first = store.commit(batch.clone()).await.unwrap();
    let mut other = put(plain(key("b"), "1"));
    other.op = batch.op;
    assert_eq!(store.commit(other).await.unwrap(), first);
    assert_eq!(get(&store, &key("b")).await, None);
}

pub async fn an_operation_of_another_scope_is_another_operation(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let op = OpId::new();
    for scope in [Scope::Global, scope("fra")] {
        let key = key_in(scope, "thing", "a");
        let mut batch = put(plain(key.clone(), "1"));
        batch.op = op;
        store.commit(batch).await.unwrap();
        assert!(get(&store, &key).await.is_some());
    }
}

pub async fn a_clock_that_steps_changes_nothing(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    // Ids as they are made when the clock goes back, stands still, and is far ahead.
    for (i, seconds) in [4_000_000_000, 1_000, 1_000, 2_000_000_000, 0]
        .iter()
        .enumerate()
    {
        let time = uuid::Timestamp::from_unix(uuid::NoContext, *seconds, 0);
        let mut batch = put(plain(key("a"), &i.to_string()));
        batch.op = uuid::Uuid::new_v7(time).into();
        let revision = store.commit(batch.clone()).await.unwrap();
        assert_eq!(revision.get(), i as u64 + 1);
        assert_eq!(store.commit(batch).await.unwrap(), revision);
    }
    let mut stream = store.watch(Scope::Global, crate::Revision::ZERO);
    assert_eq!(revisions(&mut stream, 5).await, [1, 2, 3, 4, 5]);
}

pub async fn a_refused_operation_can_be_tried_again(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(plain(key("a"), "1"))).await.unwrap();
    let batch = absent(put(plain(key("b"), "1")), key("a"));
    store.commit(batch.clone()).await.unwrap_err();
    store.commit(delete(key("a"))).await.unwrap();
    assert_eq!(store.commit(batch).await.unwrap().get(), 3);
}

pub async fn a_guard_that_does_not_hold_is_named_and_nothing_is_applied(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let first = store.commit(put(plain(key("a"), "1"))).await.unwrap();
    let second = store.commit(put(plain(key("a"), "2"))).await.unwrap();
    let batch = || puts([plain(key("b"), "1"), plain(key("c"), "1")]);
    let guarded = [
        absent(batch(), key("a")),
        at(batch(), key("a"), first.into()),
        at(batch(), key("a"), Version::new(0)),
        at(batch(), key("a"), Version::new(99)),
    ];
    for batch in guarded {
        let error = store.commit(batch.clone()).await.unwrap_err();
        assert_eq!(error, Error::Conflict(key("a")), "{batch:?}");
    }
    let missing = at(batch(), key("never"), first.into());
    let error = store.commit(missing).await.unwrap_err();
    assert_eq!(error, Error::Conflict(key("never")));
    assert_eq!(ids(&store, &query()).await, ["a"]);
    let holds = absent(at(batch(), key("a"), second.into()), key("never"));
    assert_eq!(store.commit(holds).await.unwrap().get(), 3);
}

pub async fn the_first_guard_that_does_not_hold_is_named(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store
        .commit(puts([plain(key("a"), "1"), plain(key("b"), "1")]))
        .await
        .unwrap();
    let batch = absent(put(plain(key("c"), "1")), key("never"));
    let batch = absent(absent(batch, key("b")), key("a"));
    let error = store.commit(batch).await.unwrap_err();
    assert_eq!(error, Error::Conflict(key("b")));
}

pub async fn a_version_is_never_used_again(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let first = store.commit(put(plain(key("a"), "1"))).await.unwrap();
    store.commit(delete(key("a"))).await.unwrap();
    store.commit(put(plain(key("a"), "1"))).await.unwrap();
    let stale = at(put(plain(key("a"), "2")), key("a"), first.into());
    let error = store.commit(stale).await.unwrap_err();
    assert_eq!(error, Error::Conflict(key("a")));
}

pub async fn a_put_replaces_whatever_is_there(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    store.commit(put(plain(key("a"), "2"))).await.unwrap();
    let found = get(&store, &key("a")).await.unwrap();
    assert_eq!(text(&found), "2");
    let nothing = |field: &crate::Field| field.value == crate::Value::Null;
    assert!(found.value.fields.iter().all(nothing));
}

pub async fn deleting_what_is_not_there_is_no_error(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut batch = delete(key("a"));
    batch.writes.push(Write::Put(plain(key("b"), "1")));
    assert_eq!(store.commit(batch).await.unwrap().get(), 1);
    assert_eq!(ids(&store, &query()).await, ["b"]);
}
