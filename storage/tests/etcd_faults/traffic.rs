use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use metal_storage::{
    Batch, Change, Error, Etcd, EtcdOptions, Field, Guard, Key, Name, OpId, Query, Read, Record,
    Revision, Scope, Store, Stored, Value, Version, Write,
};
use tokio::task::JoinSet;

const WRITERS: usize = 4;

/// Longer than anything here takes, against hanging.
pub const HANG: Duration = Duration::from_secs(60);

pub fn thing() -> Name {
    Name::from_static("thing")
}

pub fn key(id: &str) -> Key {
    Key::new(Scope::Global, thing(), id).unwrap()
}

/// Puts a record with a unique column, and replaces the one that the writer shares with others,
/// if it is still as it was read.
fn batch(id: &str, shared: Option<Version>) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    let name = Field {
        name: Name::from_static("name"),
        value: Value::from(id),
        unique: true,
    };
    batch.writes.push(Write::Put(Record {
        key: key(id),
        fields: vec![name],
        doc: Bytes::from_static(b"{}"),
    }));
    if let Some(version) = shared {
        batch.guards.push(Guard::Version(key("shared"), version));
        batch.writes.push(Write::Put(Record {
            key: key("shared"),
            fields: Vec::new(),
            doc: Bytes::from(format!("{id:?}")),
        }));
    }
    batch
}

/// Puts one record.
pub fn put(id: &str) -> Batch {
    batch(id, None)
}

/// Nodes that commit and watch.
pub struct Traffic {
    pub nodes: Vec<Arc<Etcd>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    writers: JoinSet<History>,
    watchers: JoinSet<Vec<Change>>,
    last: Arc<AtomicU64>,
}

/// What a writer was told.
#[derive(Default)]
struct History {
    done: Vec<(OpId, Revision)>,
    not_done: Vec<OpId>,
    unknown: Vec<Batch>,
    slowest: Duration,
}

// === impl Traffic ===

impl Traffic {
    /// Begins on two nodes, each of which asks another member first.
    pub async fn start(options: &EtcdOptions) -> Self {
        let mut nodes = Vec::new();
        for i in 0..2 {
            let mut options = options.clone();
            options.endpoints.rotate_left(i);
            nodes.push(Arc::new(connect(options).await));
        }
        let shared = batch("shared", None);
        // A node that is not patient may not know at once; a repetition finds out.
        for repetition in 0.. {
            match nodes[0].commit(shared.clone()).await {
                Err(Error::Unknown(_)) if repetition < 1000 => {}
                outcome => {
                    outcome.unwrap();
                    break;
                }
            }
        }
        let mut traffic = Self {
            nodes,
            stop: Arc::default(),
            acknowledged: Arc::default(),
            writers: JoinSet::new(),
            watchers: JoinSet::new(),
            last: Arc::new(AtomicU64::new(u64::MAX)),
        };
        for (node, store) in traffic.nodes.iter().enumerate() {
            latest(store, "shared").await;
            for writer in 0..WRITERS {
                let (store, stop) = (Arc::clone(store), Arc::clone(&traffic.stop));
                let acknowledged = Arc::clone(&traffic.acknowledged);
                let name = format!("{node}-{writer}");
                traffic
                    .writers
                    .spawn(write(store, name, stop, acknowledged));
            }
            let (store, last) = (Arc::clone(store), Arc::clone(&traffic.last));
            traffic.watchers.spawn(watch(store, last));
        }
        traffic.goes_on().await;
        traffic
    }

    /// Waits until every node has had commits acknowledged that began after this; says how long
    /// that took.
    pub async fn goes_on(&self) -> Duration {
        let begun = Instant::now();
        for node in &self.nodes {
            // One that begins now, and is answered as done.
            let mut number = 0;
            loop {
                let id = format!("probe-{}-{number}", uuid::Uuid::new_v4());
                number += 1;
                match node.commit(batch(&id, None)).await {
                    Ok(_) => break,
                    Err(Error::Unavailable { .. } | Error::Unknown(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
                assert!(begun.elapsed() < HANG, "commits do not go on");
            }
        }
        begun.elapsed()
    }

    /// What one node was told is done is what the next read of the other sees.
    pub async fn each_sees_what_the_other_did(&self) {
        for (from, to) in [(0, 1), (1, 0)] {
            let id = uuid::Uuid::new_v4().to_string();
            let revision = certainly(&self.nodes[from], batch(&id, None))
                .await
                .unwrap();
            let found = latest(&self.nodes[to], &id).await;
            assert_eq!(found.map(|found| found.version), Some(revision.into()));
        }
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Ends it, and holds what was told against what is there.
    pub async fn check(mut self, what: &str) {
        self.goes_on().await;
        self.stop.store(true, Ordering::SeqCst);
        let mut histories = Vec::new();
        while let Some(history) = tokio::time::timeout(HANG, self.writers.join_next())
            .await
            .unwrap()
        {
            histories.push(history.unwrap());
        }
        // What is unknown is asked again with the same operation, and becomes known.
        let mut done = Vec::new();
        let mut unknown = 0;
        let mut slowest = Duration::ZERO;
        let mut not_done = HashSet::new();
        for history in histories {
            done.extend(history.done);
            not_done.extend(history.not_done);
            slowest = slowest.max(history.slowest);
            for batch in history.unknown {
                unknown += 1;
                let op = batch.op;
                match certainly(&self.nodes[0], batch).await {
                    Ok(revision) => done.push((op, revision)),
                    Err(Error::Conflict(_)) => assert!(not_done.insert(op)),
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        let query = Query::new(Scope::Global, thing());
        latest(&self.nodes[0], "shared").await;
        let page = self.nodes[0].list(&query, Read::Stale).await.unwrap();
        let head = page.revision;
        self.last.store(head.get(), Ordering::SeqCst);
        // Wakes the watchers.
        for node in &self.nodes {
            let id = uuid::Uuid::new_v4().to_string();
            while node.commit(batch(&id, None)).await.is_err() {}
        }
        let mut seen = Vec::new();
        while let Some(changes) = tokio::time::timeout(HANG, self.watchers.join_next())
            .await
            .unwrap()
        {
            seen.push(changes.unwrap());
        }
        assert_eq!(seen[0], seen[1], "both nodes saw the same changes");
        let changes = &seen[0];
        let numbers: Vec<u64> = changes.iter().map(|change| change.revision.get()).collect();
        assert_eq!(
            numbers,
            (1..=head.get()).collect::<Vec<_>>(),
            "none is missing"
        );
        let mut by_op = HashMap::new();
        for change in changes {
            let before = by_op.insert(change.op, change.revision);
            assert_eq!(before, None, "{} happened twice", change.op);
        }
        for (op, revision) in &done {
            assert_eq!(by_op.get(op), Some(revision), "acknowledged and there");
        }
        for op in &not_done {
            assert_eq!(by_op.get(op), None, "refused and not there");
        }
        self.check_records(changes, head).await;
        println!(
            "{what}: {} commits acknowledged, {} not done, {unknown} unknown, slowest {slowest:?}",
            done.len(),
            not_done.len()
        );
    }

    /// The records are what the changes add up to, also for a node that has seen none of it.
    async fn check_records(&self, changes: &[Change], head: Revision) {
        let mut expected = BTreeMap::new();
        for write in changes.iter().flat_map(|change| &change.writes) {
            if let Write::Put(record) = write {
                expected.insert(record.key.id().to_owned(), record.clone());
            }
        }
        let mut stores: Vec<Arc<Etcd>> = self.nodes.clone();
        stores.push(Arc::new(connect(self.nodes[0].options().clone()).await));
        for store in stores {
            latest(&store, "shared").await;
            let mut query = Query::new(Scope::Global, thing());
            let mut found = BTreeMap::new();
            loop {
                let page = store.list(&query, Read::Stale).await.unwrap();
                for stored in page.records {
                    if stored.version <= Version::from(head) {
                        found.insert(stored.value.key.id().to_owned(), stored.value);
                    }
                }
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert!(found == expected, "records are what the changes say");
        }
    }
}

/// Repeats a commit until it is known what became of it.
pub async fn certainly(node: &Etcd, batch: Batch) -> metal_storage::Result<Revision> {
    let begun = Instant::now();
    loop {
        match node.commit(batch.clone()).await {
            Err(Error::Unavailable { .. } | Error::Unknown(_)) => {
                assert!(begun.elapsed() < HANG, "commits do not go on");
            }
            answer => return answer,
        }
    }
}

/// Reads the latest as soon as that is possible.
pub async fn latest(node: &Etcd, id: &str) -> Option<Stored<Record>> {
    let begun = Instant::now();
    loop {
        match node.get(&key(id), Read::Latest).await {
            Ok(found) => return found,
            Err(error) => assert!(begun.elapsed() < HANG, "{error}"),
        }
    }
}

/// Connects, patiently: members have just been started.
pub async fn connect(options: EtcdOptions) -> Etcd {
    let begun = Instant::now();
    loop {
        match Etcd::connect(options.clone(), &[]).await {
            Ok(store) => return store,
            Err(error) => assert!(begun.elapsed() < HANG, "{error}"),
        }
    }
}

async fn write(
    store: Arc<Etcd>,
    name: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
) -> History {
    let mut history = History::default();
    for number in 0_u64.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        // Every other one has a guard that others make fail.
        let shared = match number % 2 {
            0 => None,
            _ => store.get(&key("shared"), Read::Stale).await.unwrap(),
        };
        let batch = batch(
            &format!("{name}-{number}"),
            shared.map(|found| found.version),
        );
        let (op, begun) = (batch.op, Instant::now());
        let answer = store.commit(batch.clone()).await;
        history.slowest = history.slowest.max(begun.elapsed());
        match answer {
            Ok(revision) => {
                acknowledged.fetch_add(1, Ordering::SeqCst);
                history.done.push((op, revision));
            }
            Err(Error::Conflict(_) | Error::Unavailable { .. }) => history.not_done.push(op),
            Err(Error::Unknown(_)) => history.unknown.push(batch),
            Err(other) => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    history
}

/// Watches from the beginning up to `last`, which is told later.
async fn watch(store: Arc<Etcd>, last: Arc<AtomicU64>) -> Vec<Change> {
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    let mut seen = Vec::new();
    while let Some(change) = stream.next().await {
        let change = change.unwrap();
        if change.revision.get() > last.load(Ordering::SeqCst) {
            break;
        }
        seen.push(change);
    }
    seen
}
