//! Unique columns.

use super::Backend;
use super::kit::*;
use super::schemas::fields;
use crate::{Batch, Error, Index, Name, Scope, Value, Write};

fn taken(name: &str) -> Error {
    Error::Taken(Index {
        scope: Scope::Global,
        table: Name::from_static("thing"),
        column: Name::from_static("name"),
        value: name.into(),
    })
}

pub async fn a_taken_value_is_named_and_nothing_is_applied(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    let batch = puts([thing("b", "two", 1), thing("c", "one", 1)]);
    assert_eq!(store.commit(batch).await.unwrap_err(), taken("one"));
    assert_eq!(ids(&store, &query()).await, ["a"]);
    let next = store.commit(put(thing("b", "two", 1))).await.unwrap();
    assert_eq!(next.get(), 2);
}

pub async fn a_record_may_keep_its_own_value(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    store.commit(put(thing("a", "one", 2))).await.unwrap();
    let error = store.commit(put(thing("b", "one", 1))).await.unwrap_err();
    assert_eq!(error, taken("one"));
}

pub async fn a_value_is_free_after_deletion_and_after_change(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    store.commit(put(thing("a", "two", 1))).await.unwrap();
    store.commit(put(thing("b", "one", 1))).await.unwrap();
    store.commit(delete(key("b"))).await.unwrap();
    store.commit(put(thing("c", "one", 1))).await.unwrap();
    let error = store.commit(put(thing("d", "two", 1))).await.unwrap_err();
    assert_eq!(error, taken("two"));
}

pub async fn a_value_freed_by_an_earlier_write_can_be_taken(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store
        .commit(puts([thing("a", "one", 1), thing("b", "two", 1)]))
        .await
        .unwrap();
    let mut batch = delete(key("a"));
    batch.writes.push(Write::Put(thing("c", "one", 1)));
    batch.writes.push(Write::Put(thing("b", "three", 1)));
    batch.writes.push(Write::Put(thing("d", "two", 1)));
    store.commit(batch).await.unwrap();
    for name in ["one", "two", "three"] {
        let error = store.commit(put(thing("e", name, 1))).await.unwrap_err();
        assert_eq!(error, taken(name));
    }
}

pub async fn a_value_freed_by_a_later_write_cannot_be_taken(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    let mut batch = put(thing("b", "one", 1));
    batch.writes.push(Write::Delete(key("a")));
    assert_eq!(store.commit(batch).await.unwrap_err(), taken("one"));
    assert_eq!(ids(&store, &query()).await, ["a"]);
}

pub async fn two_records_of_one_batch_cannot_take_one_value(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let batch = puts([thing("a", "one", 1), thing("b", "one", 1)]);
    assert_eq!(store.commit(batch).await.unwrap_err(), taken("one"));
    assert!(ids(&store, &query()).await.is_empty());
}

pub async fn nothing_is_held_by_many(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let batch = puts([thing("a", Value::Null, 1), thing("b", Value::Null, 1)]);
    store.commit(batch).await.unwrap();
    store.commit(put(thing("c", Value::Null, 1))).await.unwrap();
    assert_eq!(ids(&store, &query()).await.len(), 3);
}

pub async fn a_value_is_unique_in_its_table_scope_and_column_only(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store.commit(put(thing("a", "one", 1))).await.unwrap();
    store.commit(put(thing("b", "two", 1))).await.unwrap();
    for key in [
        key_in(Scope::Global, "other", "a"),
        key_in(scope("fra"), "thing", "a"),
    ] {
        let mut batch = Batch::new(key.scope().clone());
        let mut record = plain(key, "x");
        record.fields = fields(&record.key, [("name", "one".into())]);
        batch.writes.push(Write::Put(record));
        store.commit(batch).await.unwrap();
    }
    let mut third = plain(key("c"), "x");
    third.fields = fields(
        &third.key,
        [("label", "one".into()), ("order", "one".into())],
    );
    store.commit(put(third)).await.unwrap();
    let mut fourth = plain(key("d"), "x");
    fourth.fields = fields(
        &fourth.key,
        [("label", "two".into()), ("order", "one".into())],
    );
    store.commit(put(fourth)).await.unwrap();
}

pub async fn values_that_look_alike_are_not_equal(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let names = [
        "", " ", "a", "A", "a ", "ä", "a\u{308}", "ab", "1", "true", "null",
    ];
    for (i, name) in names.iter().enumerate() {
        store
            .commit(put(thing(&i.to_string(), *name, 1)))
            .await
            .unwrap();
    }
    for (i, name) in names.iter().enumerate() {
        let mut query = query();
        query
            .equal
            .push((Name::from_static("name"), (*name).into()));
        assert_eq!(ids(&store, &query).await, [i.to_string()], "{name:?}");
    }
}
