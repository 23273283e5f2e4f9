use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use metal_storage::backup::{self, Options, Part, RestoreOptions, Source, Summary};
use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Column, Field, Key, Memory, Name, Page, Query, Read,
    Record, Result, Revision, Schema, Scope, Store, Stored, Write,
};

pub const SCHEMAS: [Schema; 2] = [
    Schema::new(
        "thing",
        &[Column::text("name").unique(), Column::int("group")],
    ),
    Schema::new("other", &[]),
];

pub fn partition() -> Scope {
    "partition/fra".parse().unwrap()
}

pub fn key(scope: &Scope, table: &'static str, id: &str) -> Key {
    Key::new(scope.clone(), Name::from_static(table), id).unwrap()
}

/// A thing named after its id.
pub fn thing(scope: &Scope, id: &str, group: u8) -> Record {
    named(scope, id, &format!("name {id}"), group)
}

pub fn named(scope: &Scope, id: &str, name: &str, group: u8) -> Record {
    let field = |column, value, unique| Field {
        name: Name::from_static(column),
        value,
        unique,
    };
    Record {
        key: key(scope, "thing", id),
        fields: vec![
            field("name", name.into(), true),
            field("group", u32::from(group).into(), false),
        ],
        doc: format!("{{\"id\":{id:?},\"group\":{group}}}").into(),
    }
}

pub fn other(scope: &Scope, id: &str) -> Record {
    Record {
        key: key(scope, "other", id),
        fields: Vec::new(),
        doc: "1".into(),
    }
}

pub fn put(record: Record) -> Batch {
    let mut batch = Batch::new(record.key.scope().clone());
    batch.writes.push(Write::Put(record));
    batch
}

pub fn delete(scope: &Scope, id: &str) -> Batch {
    let mut batch = Batch::new(scope.clone());
    batch.writes.push(Write::Delete(key(scope, "thing", id)));
    batch
}

/// One commit that small numbers choose; it may be refused.
pub async fn act(store: &dyn Store, (a, b, what): (u8, u8, u8)) {
    let scope = if a % 3 == 0 {
        partition()
    } else {
        Scope::Global
    };
    let id = |n: u8| format!("{n:02}");
    let mut batch = Batch::new(scope.clone());
    match what {
        0 => batch
            .writes
            .push(Write::Delete(key(&scope, "thing", &id(a)))),
        1 => batch.writes.push(Write::Put(other(&scope, &id(b)))),
        // Two things that swap what is unique, by way of nothing.
        2 if a != b => {
            batch
                .writes
                .push(Write::Delete(key(&scope, "thing", &id(a))));
            batch
                .writes
                .push(Write::Put(named(&scope, &id(b), &id(a), b)));
        }
        _ => batch
            .writes
            .push(Write::Put(named(&scope, &id(a), &id(b), a))),
    }
    let _ = store.commit(batch).await;
}

pub fn options() -> Options {
    Options::new("test 1", "2026-01-01T00:00:00Z")
}

pub fn parts(store: &dyn Store) -> Vec<Part<'_>> {
    [Scope::Global, partition()]
        .map(|scope| Part { scope, store })
        .into()
}

pub async fn back_up(store: &dyn Store, options: &Options) -> backup::Result<(Bytes, Summary)> {
    let mut file = Vec::new();
    let parts = parts(store);
    let summary = backup::backup(&parts, &SCHEMAS, options, &mut file, &|_| {}).await?;
    assert_eq!(summary.bytes, file.len() as u64);
    Ok((file.into(), summary))
}

pub async fn restore_into(
    store: &dyn Store,
    source: impl Source,
    options: &RestoreOptions,
) -> backup::Result<Summary> {
    backup::restore(&source, &parts(store), &SCHEMAS, options, &|_| {}).await
}

/// What a record says, its document compared as JSON.
pub type Said = (Vec<Field>, serde_json::Value);

fn said(record: &Record) -> Said {
    (
        record.fields.clone(),
        serde_json::from_slice(&record.doc).unwrap(),
    )
}

/// Everything in the store.
pub async fn contents(store: &dyn Store) -> BTreeMap<Key, Said> {
    let mut contents = BTreeMap::new();
    for scope in [Scope::Global, partition()] {
        for schema in &SCHEMAS {
            let mut query = Query::new(scope.clone(), Name::from_static(schema.table()));
            loop {
                let page = store.list(&query, Read::Latest).await.unwrap();
                let records = page.records.into_iter().map(|stored| stored.value);
                contents.extend(records.map(|record| (record.key.clone(), said(&record))));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
    }
    contents
}

/// What was in the store at the revisions of a backup, by its history.
pub async fn at(store: &dyn Store, summary: &Summary) -> BTreeMap<Key, Said> {
    let mut contents = BTreeMap::new();
    for scope in &summary.scopes {
        let mut changes = store.watch(scope.scope.clone(), Revision::ZERO);
        for _ in 0..scope.revision.get() {
            for write in changes.next().await.unwrap().unwrap().writes {
                match write {
                    Write::Put(record) => {
                        contents.insert(record.key.clone(), said(&record));
                    }
                    Write::Delete(key) => {
                        contents.remove(&key);
                    }
                }
            }
        }
    }
    contents
}

/// A store in which something is written before every page that is read.
pub struct Meddler {
    store: Arc<Memory>,
    meanwhile: Mutex<VecDeque<Vec<(u8, u8, u8)>>>,
    batches: Mutex<Vec<Batch>>,
}

// === impl Meddler ===

impl Meddler {
    pub fn new(store: Arc<Memory>, meanwhile: Vec<Vec<(u8, u8, u8)>>) -> Self {
        Self {
            store,
            meanwhile: Mutex::new(meanwhile.into()),
            batches: Mutex::default(),
        }
    }

    pub fn with(store: Arc<Memory>, batches: Vec<Batch>) -> Self {
        Self {
            store,
            meanwhile: Mutex::default(),
            batches: Mutex::new(batches),
        }
    }
}

impl Store for Meddler {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        self.store.get(key, read)
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let page = self.store.list(query, read).await;
            let steps = self.meanwhile.lock().unwrap().pop_front();
            for step in steps.into_iter().flatten() {
                act(&*self.store, step).await;
            }
            let batches = std::mem::take(&mut *self.batches.lock().unwrap());
            for batch in batches {
                self.store.commit(batch).await?;
            }
            page
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.store.commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.store.watch(scope, since)
    }
}
