//! Single records, and how new an answer is.

use super::Backend;
use super::kit::*;
use super::schemas::fields;
use crate::{Error, Read, Revision, Scope};

pub async fn what_was_never_written_is_not_there(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    assert_eq!(get(&store, &key("a")).await, None);
    let page = store.list(&query(), Read::Latest).await.unwrap();
    assert!(page.records.is_empty() && page.next.is_none());
    assert_eq!(page.revision, Revision::ZERO);
}

pub async fn a_record_reads_back_as_it_was_written(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let key = key_in(Scope::Global, "every", "ä\u{1}/ \"'%_\\");
    let mut record = plain(key, "x");
    let values = [
        ("b", true.into()),
        ("c", i64::MIN.into()),
        ("d", "ü'\"\\\u{7f}".into()),
        ("e", "".into()),
    ];
    record.fields = fields(&record.key, values);
    record.doc = br#"{"b":[1,-2.5,null,true,"\u00e4\n"],"a":{}}"#.as_slice().into();
    store.commit(put(record.clone())).await.unwrap();
    let found = get(&store, &record.key).await.unwrap();
    assert!(same(&found.value, &record), "{found:?}");
}

pub async fn the_same_id_in_another_table_or_scope_is_another_record(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let keys = [
        key_in(Scope::Global, "thing", "a"),
        key_in(Scope::Global, "thing2", "a"),
        key_in(scope("fra"), "thing", "a"),
        key_in(scope("fra-1"), "thing", "a"),
        key_in(Scope::Node("fra".try_into().unwrap()), "thing", "a"),
    ];
    for (i, key) in keys.iter().enumerate() {
        store
            .commit(put(plain(key.clone(), &i.to_string())))
            .await
            .unwrap();
    }
    for (i, key) in keys.iter().enumerate() {
        assert_eq!(text(&get(&store, key).await.unwrap()), i.to_string());
    }
}

pub async fn a_reached_revision_is_answered_at_once(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let revision = store.commit(put(plain(key("a"), "1"))).await.unwrap();
    for read in [
        Read::Latest,
        Read::AtLeast(revision),
        Read::AtLeast(Revision::ZERO),
    ] {
        assert!(
            store.get(&key("a"), read).await.unwrap().is_some(),
            "{read:?}"
        );
        let page = store.list(&query(), read).await.unwrap();
        assert_eq!(page.records.len(), 1, "{read:?}");
    }
    store.get(&key("a"), Read::Stale).await.unwrap();
}

pub async fn a_revision_that_was_never_reached_is_an_error_after_a_bounded_time(
    backend: &dyn Backend,
) {
    let store = backend.fresh(HISTORY).await;
    let reached = store.commit(put(plain(key("a"), "1"))).await.unwrap();
    let read = Read::AtLeast(Revision::new(100));
    let expected = Error::Behind {
        scope: Scope::Global,
        reached,
    };
    let found = bounded(store.get(&key("a"), read)).await;
    assert_eq!(found.unwrap_err(), expected);
    let page = bounded(store.list(&query(), read)).await;
    assert_eq!(page.unwrap_err(), expected);
}

pub async fn a_read_waits_for_a_revision_that_is_on_its_way(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let a = key("a");
    let read = store.get(&a, Read::AtLeast(Revision::new(1)));
    let write = store.commit(put(plain(key("a"), "1")));
    let (found, written) = tokio::join!(read, write);
    written.unwrap();
    assert!(found.unwrap().is_some());
}
