//! What is found in etcd: of another version, broken, gone, or only half written.

use bytes::Bytes;
use metal_storage::{
    Batch, Error, Etcd, Field, Key, Name, Query, Read, Record, Revision, Scope, Store, Value, Write,
};

use crate::suite::{fresh_options, shared};

fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("thing"), id).unwrap()
}

pub fn put(id: &str, bytes: usize) -> Write {
    Write::Put(Record {
        key: key(id),
        fields: vec![Field {
            name: Name::from_static("name"),
            value: Value::from(id),
            unique: true,
        }],
        doc: Bytes::from(format!("\"{}\"", "x".repeat(bytes))),
    })
}

pub fn batch(writes: impl IntoIterator<Item = Write>) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.extend(writes);
    batch
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let options = fresh_options();
    let format = format!("{}/format", options.prefix);
    shared().ctl(&["put", &format, "2"]);
    let error = Etcd::connect(options, &[]).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("has format 2"), "{error}");
}

#[tokio::test]
async fn a_record_that_does_not_decode_is_named_and_the_others_are_read() {
    let options = fresh_options();
    let store = Etcd::connect(options.clone(), &[]).await.unwrap();
    store
        .commit(batch([put("a", 1), put("b", 1)]))
        .await
        .unwrap();
    shared().ctl(&["put", &format!("{}/global/r/thing/a", options.prefix), "x"]);
    let store = Etcd::connect(options, &[]).await.unwrap();
    let error = store.get(&key("a"), Read::Latest).await.unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { what, .. } if what == "global thing/a"),
        "{error:?}"
    );
    assert!(store.get(&key("b"), Read::Latest).await.unwrap().is_some());
    let mut query = Query::new(Scope::Global, Name::from_static("thing"));
    query.limit = 1;
    let page = store.list(&query, Read::Latest).await.unwrap();
    assert_eq!((page.records.len(), page.unreadable), (0, vec![error]));
    query.after = page.next;
    let page = store.list(&query, Read::Latest).await.unwrap();
    assert_eq!(page.records[0].value.key, key("b"));
    store.commit(batch([put("c", 1)])).await.unwrap();
    let error = store.commit(batch([put("a", 1)])).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_scope_that_was_emptied_behind_our_back_is_corrupt_and_stays_readable_stale() {
    let options = fresh_options();
    let store = Etcd::connect(options.clone(), &[]).await.unwrap();
    store.commit(batch([put("a", 1)])).await.unwrap();
    shared().ctl(&["del", "--prefix", &format!("{}/global", options.prefix)]);
    let error = store.get(&key("a"), Read::Latest).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    let error = store.commit(batch([put("b", 1)])).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(store.get(&key("a"), Read::Stale).await.unwrap().is_some());
}

#[tokio::test]
async fn a_table_that_was_not_declared_is_refused() {
    const OTHER: &[metal_storage::Schema] = &[metal_storage::Schema::new("other", &[])];
    let store = Etcd::connect(fresh_options(), OTHER).await.unwrap();
    let error = store.commit(batch([put("a", 1)])).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn a_batch_too_large_for_one_transaction_is_whole_for_every_node() {
    let options = fresh_options();
    let store = Etcd::connect(options.clone(), &[]).await.unwrap();
    let ids: Vec<String> = (0..128).map(|i| format!("{i:03}")).collect();
    let large = |bytes: usize| batch(ids.iter().map(|id| put(id, bytes)));
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    for (round, bytes) in [9_000, 1, 9_500].into_iter().enumerate() {
        let revision = store.commit(large(bytes)).await.unwrap();
        assert_eq!(revision, Revision::new(2 * round as u64 + 1));
        // One that begins with the records not written yet, and one that finds them written.
        let early = Etcd::connect(options.clone(), &[]).await.unwrap();
        let page = early.list(&query, Read::Latest).await.unwrap();
        early.commit(batch([put("another", 1)])).await.unwrap();
        let late = Etcd::connect(options.clone(), &[]).await.unwrap();
        let mut later = late.list(&query, Read::Latest).await.unwrap();
        later
            .records
            .retain(|stored| stored.value.key.id() != "another");
        for found in [&page.records, &later.records] {
            let found = found
                .iter()
                .filter(|stored| stored.version.get() == revision.get());
            let found: Vec<_> = found
                .map(|stored| stored.value.key.id().to_owned())
                .collect();
            assert_eq!(found, ids);
        }
    }
}
