//! What the tests are written with.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;

use super::schemas::fields;
use crate::batch::{Batch, Guard, Write};
use crate::change::Change;
use crate::error::Result;
use crate::key::Key;
use crate::name::Name;
use crate::query::Query;
use crate::record::{Record, Stored};
use crate::revision::{Revision, Version};
use crate::scope::Scope;
use crate::store::{BoxStream, Read, Store};
use crate::value::Value;

/// Longer than anything here takes, against hanging.
const HANG: Duration = Duration::from_secs(60);

pub(super) const HISTORY: u64 = 10_000;

pub(super) fn scope(name: &str) -> Scope {
    match name {
        "global" => Scope::Global,
        name => Scope::Partition(name.try_into().unwrap()),
    }
}

pub(super) fn key_in(scope: Scope, table: &'static str, id: &str) -> Key {
    Key::new(scope, Name::from_static(table), id).unwrap()
}

pub(super) fn key(id: &str) -> Key {
    key_in(Scope::Global, "thing", id)
}

/// A record whose columns hold nothing.
pub(super) fn plain(key: Key, doc: &str) -> Record {
    Record {
        fields: fields(&key, []),
        key,
        doc: Bytes::from(serde_json::to_vec(doc).unwrap()),
    }
}

/// A record of table `thing` with a unique `name` and a `group`, which is a number.
pub(super) fn thing(id: &str, name: impl Into<Value>, group: impl Into<Value>) -> Record {
    Record {
        fields: fields(&key(id), [("name", name.into()), ("group", group.into())]),
        ..plain(key(id), id)
    }
}

pub(super) fn put(record: Record) -> Batch {
    let mut batch = Batch::new(record.key.scope().clone());
    batch.writes.push(Write::Put(record));
    batch
}

pub(super) fn puts(records: impl IntoIterator<Item = Record>) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.extend(records.into_iter().map(Write::Put));
    batch
}

pub(super) fn delete(key: Key) -> Batch {
    let mut batch = Batch::new(key.scope().clone());
    batch.writes.push(Write::Delete(key));
    batch
}

pub(super) fn absent(mut batch: Batch, key: Key) -> Batch {
    batch.guards.push(Guard::Absent(key));
    batch
}

pub(super) fn at(mut batch: Batch, key: Key, version: Version) -> Batch {
    batch.guards.push(Guard::Version(key, version));
    batch
}

pub(super) fn query() -> Query {
    Query::new(Scope::Global, Name::from_static("thing"))
}

pub(super) async fn get(store: &Arc<dyn Store>, key: &Key) -> Option<Stored<Record>> {
    store.get(key, Read::Latest).await.unwrap()
}

/// The text that [`plain`] was given.
pub(super) fn text(stored: &Stored<Record>) -> String {
    serde_json::from_slice(&stored.value.doc).unwrap()
}

pub(super) async fn ids(store: &Arc<dyn Store>, query: &Query) -> Vec<String> {
    let page = store.list(query, Read::Latest).await.unwrap();
    let id = |stored: &Stored<Record>| stored.value.key.id().to_owned();
    page.records.iter().map(id).collect()
}

/// The next of a stream, which must come.
pub(super) async fn next(stream: &mut BoxStream<'static, Result<Change>>) -> Result<Change> {
    bounded(stream.next()).await.expect("the stream goes on")
}

/// What must not hang.
pub(super) async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// The next so many revisions of a stream.
pub(super) async fn revisions(
    stream: &mut BoxStream<'static, Result<Change>>,
    count: usize,
) -> Vec<u64> {
    let mut revisions = Vec::new();
    for _ in 0..count {
        revisions.push(next(stream).await.unwrap().revision.get());
    }
    revisions
}

/// Commits so many changes of one record; gives the last revision.
pub(super) async fn write_times(store: &Arc<dyn Store>, times: usize) -> Revision {
    let mut last = Revision::ZERO;
    for i in 0..times {
        let record = plain(key("again"), &i.to_string());
        last = store.commit(put(record)).await.unwrap();
    }
    last
}

/// Whether two records say the same, their documents compared as JSON.
pub(super) fn same(left: &Record, right: &Record) -> bool {
    let json = |record: &Record| serde_json::from_slice::<serde_json::Value>(&record.doc).unwrap();
    left.key == right.key && left.fields == right.fields && json(left) == json(right)
}

/// Writes a document as every backend may give it back.
pub(super) fn canonical(record: &mut Record) {
    let json: serde_json::Value = serde_json::from_slice(&record.doc).unwrap();
    record.doc = serde_json::to_vec(&json).unwrap().into();
}

pub(super) fn canonical_batch(mut batch: Batch) -> Batch {
    for write in &mut batch.writes {
        if let Write::Put(record) = write {
            canonical(record);
        }
    }
    batch
}
