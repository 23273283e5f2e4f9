//! Reads of one snapshot. No read waits for a commit.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, TableError};

use super::fault::Fault;
use super::layout::{self, CHANGES, Head, INDEX, OPS, RECORDS, SCOPES};
use crate::change::Change;
use crate::codec;
use crate::error::Error;
use crate::key::Key;
use crate::limits::PAGE_BYTES;
use crate::op::OpId;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;

type Read<T> = Result<T, Fault>;

pub(super) fn get(txn: &ReadTransaction, key: &Key) -> Read<Option<Stored<Record>>> {
    let records = txn.open_table(RECORDS)?;
    match records.get(layout::record(key).as_slice())? {
        Some(bytes) => Ok(Some(codec::decode_record(key.clone(), bytes.value())?)),
        None => Ok(None),
    }
}

pub(super) fn head(txn: &ReadTransaction, scope: &Scope) -> Read<Head> {
    let scopes = txn.open_table(SCOPES)?;
    let head = scopes.get(scope.to_string().as_str())?;
    Ok(head.map(|head| Head::new(head.value())).unwrap_or_default())
}

/// Every scope and its newest revision.
pub(super) fn heads(txn: &ReadTransaction) -> Read<Vec<(Scope, Revision)>> {
    let scopes = match txn.open_table(SCOPES) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        scopes => scopes?,
    };
    let mut heads = Vec::new();
    for entry in scopes.iter()? {
        let (scope, head) = entry?;
        let scope = scope.value().parse().map_err(|error| Error::Corrupt {
            what: format!("scope {:?}", scope.value()),
            cause: format!("{error}"),
        })?;
        heads.push((scope, Head::new(head.value()).revision));
    }
    Ok(heads)
}

/// Which revision an operation made, if it happened.
pub(super) fn op(txn: &ReadTransaction, scope: &Scope, op: OpId) -> Read<Option<Revision>> {
    let ops = txn.open_table(OPS)?;
    let revision = ops.get(layout::op(scope, op).as_slice())?;
    Ok(revision.map(|revision| Revision::new(revision.value())))
}

/// Costs the entries of the first condition between the cursor and the page's end.
pub(super) fn list(txn: &ReadTransaction, query: &Query) -> Read<Page> {
    let mut page = Page {
        records: Vec::new(),
        unreadable: Vec::new(),
        next: None,
        revision: head(txn, &query.scope)?.revision,
    };
    let records = txn.open_table(RECORDS)?;
    let mut bytes = 0;
    let mut last = None;
    let mut take = |id: &[u8], record: Option<&[u8]>| -> Read<bool> {
        let key = key(query, id)?;
        let id = key.id().to_owned();
        let found = match record {
            Some(record) => codec::decode_record(key, record),
            None => Err(Error::Corrupt {
                what: key.to_string(),
                cause: "it has an index entry and no record".into(),
            }),
        };
        match found {
            Ok(stored) if query.matches(&stored.value) => {
                bytes += stored.value.doc.len();
                last = Some(id);
                page.records.push(stored);
            }
            Ok(_) => {}
            Err(error) => {
                last = Some(id);
                page.unreadable.push(error);
            }
        }
        let full = page.records.len() + page.unreadable.len() >= query.limit;
        Ok(full || bytes > PAGE_BYTES)
    };
    let mut full = false;
    match query.equal.first() {
        None => {
            let prefix = layout::records(&query.scope, &query.table);
            for entry in records.range::<&[u8]>(slices(&range(&prefix, query)))? {
                let (id, record) = entry?;
                full = take(&id.value()[prefix.len()..], Some(record.value()))?;
                if full {
                    break;
                }
            }
        }
        Some((column, value)) => {
            let index = txn.open_table(INDEX)?;
            let prefix = layout::index(&query.scope, &query.table, column, value);
            let mut at = layout::records(&query.scope, &query.table);
            let table = at.len();
            for entry in index.range::<&[u8]>(slices(&range(&prefix, query)))? {
                let (entry, _) = entry?;
                let id = &entry.value()[prefix.len()..];
                at.truncate(table);
                at.extend_from_slice(id);
                let record = records.get(at.as_slice())?;
                full = take(id, record.as_ref().map(|record| record.value()))?;
                if full {
                    break;
                }
            }
        }
    }
    if full {
        page.next = last;
    }
    Ok(page)
}

/// Some of the changes after a revision, in their order; none if there are none yet.
pub(super) fn changes(
    txn: &ReadTransaction,
    scope: &Scope,
    since: Revision,
    limit: usize,
) -> Read<Vec<Change>> {
    let head = head(txn, scope)?;
    if since >= head.revision {
        return Ok(Vec::new());
    }
    if since < head.oldest {
        return Err(Error::Compacted(head.oldest).into());
    }
    let table = txn.open_table(CHANGES)?;
    let from = layout::change(scope, since.next());
    let to = layout::change(scope, head.revision);
    let mut changes = Vec::new();
    let mut bytes = 0;
    let mut expected = since.next();
    for entry in table.range(from.as_slice()..=to.as_slice())?.take(limit) {
        let (_, value) = entry?;
        bytes += value.value().len();
        changes.push(codec::decode_change(scope, expected, value.value())?);
        expected = expected.next();
        if bytes > PAGE_BYTES {
            break;
        }
    }
    Ok(changes)
}

fn key(query: &Query, id: &[u8]) -> Result<Key, Error> {
    let id = std::str::from_utf8(id).map_err(|error| Error::Corrupt {
        what: format!("an id of {} {}", query.scope, query.table),
        cause: error.to_string(),
    })?;
    Key::new(query.scope.clone(), query.table.clone(), id)
}

/// Where the ids of a query are behind `prefix`.
fn range(prefix: &[u8], query: &Query) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let with = |id: &str| [prefix, id.as_bytes()].concat();
    let first = with(&query.prefix);
    let end = layout::successor(&first).map_or(Bound::Unbounded, Bound::Excluded);
    let start = match &query.after {
        Some(after) if with(after) >= first => Bound::Excluded(with(after)),
        _ => Bound::Included(first),
    };
    match (&start, &end) {
        // The cursor is behind everything with the prefix: an empty range, which may not be
        // written as one whose start is behind its end.
        (Bound::Excluded(start), Bound::Excluded(end)) if start >= end => {
            (Bound::Included(end.clone()), Bound::Excluded(end.clone()))
        }
        _ => (start, end),
    }
}

fn slices(range: &(Bound<Vec<u8>>, Bound<Vec<u8>>)) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        range.0.as_ref().map(Vec::as_slice),
        range.1.as_ref().map(Vec::as_slice),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Batch, Field, Name, Read, Redb, RedbOptions, Store, Value, Write};

    fn record(id: &str) -> Record {
        Record {
            key: Key::new(Scope::Global, Name::from_static("thing"), id).unwrap(),
            fields: vec![Field {
                name: Name::from_static("group"),
                value: Value::Int(1),
                unique: false,
            }],
            doc: "1".into(),
        }
    }

    #[tokio::test]
    async fn a_record_whose_bytes_are_none_is_named_and_others_are_not_affected() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("store.redb");
        let store = Redb::open(&path, RedbOptions::default()).unwrap();
        let mut batch = Batch::new(Scope::Global);
        let ids = ["a", "b", "c", "d"];
        batch.writes.extend(ids.map(|id| Write::Put(record(id))));
        store.commit(batch).await.unwrap();
        store.close().await;
        let database = redb::Database::open(&path).unwrap();
        let txn = database.begin_write().unwrap();
        {
            let mut records = txn.open_table(RECORDS).unwrap();
            let at = |id| layout::record(&record(id).key);
            records
                .insert(at("b").as_slice(), b"no record".as_slice())
                .unwrap();
            records.remove(at("c").as_slice()).unwrap();
        }
        txn.commit().unwrap();
        drop(database);

        let store: Arc<dyn Store> = Arc::new(Redb::open(&path, RedbOptions::default()).unwrap());
        let mut query = Query::new(Scope::Global, Name::from_static("thing"));
        query.equal.push((Name::from_static("group"), 1.into()));
        query.limit = 1;
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        loop {
            let page = store.list(&query, Read::Latest).await.unwrap();
            found.extend(page.records.iter().map(|one| one.value.key.id().to_owned()));
            unreadable.extend(page.unreadable.iter().map(Error::to_string));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, ["a", "d"]);
        assert_eq!(
            unreadable,
            [
                "global thing/b is corrupt: its bytes are no record",
                "global thing/c is corrupt: it has an index entry and no record",
            ]
        );
        let get = store.get(&record("b").key, Read::Latest).await;
        assert!(matches!(get, Err(Error::Corrupt { .. })), "{get:?}");
        let mut batch = Batch::new(Scope::Global);
        batch.writes.push(Write::Put(record("a")));
        store.commit(batch).await.unwrap();
    }
}
