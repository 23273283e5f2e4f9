//! What is refused whatever is stored.

use super::kit::*;
use super::{Backend, Limits};
use crate::limits::*;
use crate::{Batch, Error, Name, Read, Revision, Scope, Value, Write};

async fn refused(store: &std::sync::Arc<dyn crate::Store>, batch: Batch) {
    let error = store.commit(batch).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let page = store.list(&query(), Read::Latest).await.unwrap();
    assert!(page.records.is_empty());
    assert_eq!(page.revision, Revision::ZERO);
}

/// Records of a table without columns, so that each is one write in every engine.
fn bare(id: &str) -> crate::Key {
    key_in(Scope::Global, "thing2", id)
}

fn many(count: usize) -> Batch {
    puts((0..count).map(|i| plain(bare(&i.to_string()), "x")))
}

pub async fn a_batch_without_a_write_is_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    refused(&store, Batch::new(Scope::Global)).await;
    refused(&store, absent(Batch::new(Scope::Global), key("a"))).await;
}

pub async fn too_many_writes_or_guards_are_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let Limits { writes, guards, .. } = backend.limits();
    refused(&store, many(writes + 1)).await;
    let guarded =
        |count: usize| (0..count).fold(many(1), |batch, i| absent(batch, bare(&i.to_string())));
    refused(&store, guarded(guards + 1)).await;
    store.commit(many(writes)).await.unwrap();
    let mut batch = put(plain(bare("z"), "x"));
    for i in 0..guards {
        let seen = bare(&(i % writes).to_string());
        batch = at(batch, seen, Revision::new(1).into());
    }
    store.commit(batch).await.unwrap();
}

pub async fn too_many_bytes_are_refused_and_just_enough_are_not(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let large = |bytes: usize| {
        let mut record = plain(bare("a"), "");
        let rest = bytes - put(record.clone()).size();
        record.doc = format!("\"{}\"", "x".repeat(rest)).into();
        put(record)
    };
    let Limits { bytes, .. } = backend.limits();
    refused(&store, large(bytes + 1)).await;
    store.commit(large(bytes)).await.unwrap();
    let found = get(&store, &bare("a")).await.unwrap();
    assert!(found.value.doc.len() > bytes - 100);
}

pub async fn a_key_of_another_scope_is_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let foreign = || key_in(scope("fra"), "thing", "a");
    let mut written = many(1);
    written.writes.push(Write::Put(plain(foreign(), "x")));
    refused(&store, written).await;
    let mut deleted = many(1);
    deleted.writes.push(Write::Delete(foreign()));
    refused(&store, deleted).await;
    refused(&store, absent(many(1), foreign())).await;
}

pub async fn a_key_written_twice_is_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    refused(&store, puts([plain(key("a"), "1"), plain(key("a"), "2")])).await;
    let mut batch = put(plain(key("a"), "1"));
    batch.writes.push(Write::Delete(key("a")));
    refused(&store, batch).await;
}

pub async fn what_an_engine_could_not_hold_is_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let long = "x".repeat(TEXT_BYTES + 1);
    refused(&store, put(thing("a", long, 1))).await;
    refused(&store, put(thing("a", "\0", 1))).await;
    refused(&store, put(plain(key("a"), "\0"))).await;
    let mut twice = thing("a", "one", 1);
    twice.fields.push(twice.fields[0].clone());
    refused(&store, put(twice)).await;
    let mut wide = plain(key("a"), "x");
    wide.fields = (0..=COLUMNS)
        .map(|i| crate::Field {
            name: Name::new(format!("c{i}")).unwrap(),
            value: Value::Null,
            unique: false,
        })
        .collect();
    refused(&store, put(wide)).await;
    store
        .commit(put(thing("a", "x".repeat(TEXT_BYTES), 1)))
        .await
        .unwrap();
    let id = "i".repeat(ID_BYTES);
    store
        .commit(put(thing(&id, "y".repeat(TEXT_BYTES), 1)))
        .await
        .unwrap();
    assert!(get(&store, &key(&id)).await.is_some());
}

pub async fn a_page_without_bounds_is_refused(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for limit in [0, PAGE_RECORDS + 1] {
        let mut query = query();
        query.limit = limit;
        let error = store.list(&query, Read::Latest).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
    let mut filtered = query();
    let condition = (Name::from_static("group"), Value::from(1));
    filtered.equal = vec![condition; FILTERS + 1];
    let error = store.list(&filtered, Read::Latest).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}
