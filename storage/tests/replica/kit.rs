//! What the tests are written with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use metal_storage::conformance::SCHEMAS;
use metal_storage::{
    Batch, Field, Key, Name, OpId, Query, Read, Record, Replica, ReplicaOptions, Result, Revision,
    Scope, Store, Value, Version, Write,
};
use tokio::task::JoinHandle;

/// Longer than anything here takes, against hanging.
pub const HANG: Duration = Duration::from_secs(120);

/// A replica that is being followed, until it is stopped or dropped.
pub struct Following {
    pub replica: Arc<Replica>,
    task: JoinHandle<()>,
}

// === impl Following ===

impl Following {
    /// The replica in this file, following the global scope of `authority`.
    pub async fn start(authority: Arc<dyn Store>, options: ReplicaOptions) -> Self {
        let replica = open(authority, options).await.unwrap();
        let task = tokio::spawn(replica.follow());
        Self {
            replica: Arc::new(replica),
            task,
        }
    }

    /// Waits until it has this revision, and knows that it follows.
    pub async fn reaches(&self, revision: Revision) {
        let reached = self
            .replica
            .wait_for(|status| status.following && status.revision >= Some(revision));
        let reached = tokio::time::timeout(HANG, reached).await;
        assert!(reached.is_ok(), "{revision}: {:?}", self.replica);
    }

    /// Waits until it has found out that its authority is away.
    pub async fn is_cut_off(&self) {
        let cut_off = self.replica.wait_for(|status| !status.following);
        tokio::time::timeout(HANG, cut_off).await.unwrap();
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.replica.close().await;
        self.task.abort();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn open(authority: Arc<dyn Store>, options: ReplicaOptions) -> Result<Replica> {
    Replica::open(authority, Scope::Global, SCHEMAS, options).await
}

/// Quick to find out, patient with a busy machine.
pub fn options(folder: &Path) -> ReplicaOptions {
    let mut options = ReplicaOptions::new(folder.join("global.redb"));
    options.ask_every = Duration::from_millis(50);
    options.backoff_min = Duration::from_millis(10);
    options.backoff_max = Duration::from_millis(100);
    options.revision_wait = Duration::from_secs(30);
    options
}

pub fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("other"), id).unwrap()
}

/// A record of table `other`, whose `name` is unique.
pub fn record(id: &str, name: impl Into<Value>) -> Record {
    let field = |column: &'static str, value: Value, unique| Field {
        name: Name::from_static(column),
        value,
        unique,
    };
    Record {
        key: key(id),
        fields: vec![
            field("name", name.into(), true),
            field("group", Value::Int(1), false),
        ],
        doc: "{}".into(),
    }
}

pub fn put(id: &str, name: impl Into<Value>) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(record(id, name)));
    batch
}

pub fn delete(id: &str) -> Batch {
    let mut batch = Batch::with_op(Scope::Global, OpId::new());
    batch.writes.push(Write::Delete(key(id)));
    batch
}

/// So many commits; gives the last revision.
pub async fn write(store: &dyn Store, ids: std::ops::Range<u32>) -> Revision {
    let mut last = Revision::ZERO;
    for id in ids {
        let id = id.to_string();
        last = store.commit(put(&id, id.as_str())).await.unwrap();
    }
    last
}

/// Ids, names and versions of everything in table `other`, page by page, and by its index.
pub async fn contents(list: impl AsyncFn(&Query) -> metal_storage::Page) -> Contents {
    let mut found = Contents::new();
    let mut query = Query::new(Scope::Global, Name::from_static("other"));
    loop {
        let page = list(&query).await;
        assert_eq!(page.unreadable, []);
        for stored in page.records {
            let name = stored.value.fields[0].value.clone();
            found.insert(stored.value.key.id().to_owned(), (name, stored.version));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    for (id, (name, _)) in &found {
        let mut by_name = Query::new(Scope::Global, Name::from_static("other"));
        by_name.equal = vec![(Name::from_static("name"), name.clone())];
        let page = list(&by_name).await;
        let ids: Vec<_> = page.records.iter().map(|one| one.value.key.id()).collect();
        assert_eq!(ids, [id], "by {name}");
    }
    found
}

pub type Contents = BTreeMap<String, (Value, Version)>;

/// Asserts that the replica has what the authority has.
pub async fn assert_same(authority: &dyn Store, replica: &Replica) {
    let theirs = contents(async |query| authority.list(query, Read::Latest).await.unwrap()).await;
    let ours = contents(async |query| replica.list(query, Read::Stale).await.unwrap()).await;
    assert_eq!(ours, theirs);
}
