//! Clients that write, a watcher, and what they saw.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use metal_storage::{
    Batch, Change, Column, Error, Field, Guard, Key, Name, OpId, Record, Result, Revision, Schema,
    Scope, Sql, Store, Value, Write,
};
use tokio::task::JoinSet;

/// Each batch writes one record in both, of the same id and number.
pub const SCHEMAS: &[Schema] = &[
    Schema::new("left", &[Column::int("number").unique()]),
    Schema::new("right", &[Column::int("number").unique()]),
];

/// Clients that write at the same time.
const CLIENTS: i64 = 8;

/// One commit and its answer.
#[derive(Clone, Debug)]
pub struct Event {
    pub number: i64,
    pub batch: Batch,
    pub answer: Result<Revision>,
    pub took: Duration,
    /// When it was answered.
    pub at: Instant,
}

/// What all clients and the watcher saw.
#[derive(Debug, Default)]
pub struct History {
    pub events: Vec<Event>,
    /// Every change in the order in which the watcher was shown them.
    pub watched: Vec<(Revision, OpId)>,
    /// How often the watcher's stream ended with an error and was resumed.
    pub resumed: usize,
}

/// Running clients.
pub struct Traffic {
    history: Arc<Mutex<History>>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

// === impl Traffic ===

impl Traffic {
    pub fn start(store: &Arc<Sql>) -> Self {
        let history = Arc::new(Mutex::new(History::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for client in 0..CLIENTS {
            let (store, history) = (Arc::clone(store), Arc::clone(&history));
            let stop = Arc::clone(&stop);
            tasks.spawn(async move {
                for n in 0.. {
                    if stop.load(SeqCst) {
                        return;
                    }
                    let event = write(&store, n * CLIENTS + client).await;
                    let failed = event.answer.is_err();
                    history.lock().unwrap().events.push(event);
                    if failed {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            });
        }
        Self {
            history,
            stop,
            tasks,
        }
    }

    /// Commits acknowledged since a moment.
    pub fn acknowledged_since(&self, since: Instant) -> usize {
        let history = self.history.lock().unwrap();
        let fine = |event: &&Event| event.at >= since && event.answer.is_ok();
        history.events.iter().filter(fine).count()
    }

    /// Lets the clients come to an end; gives what they saw.
    pub async fn stop(mut self) -> History {
        self.stop.store(true, SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.history.lock().unwrap())
    }
}

/// Follows the scope from its beginning until a revision, resuming after errors.
pub async fn watch(
    store: Arc<Sql>,
    until: tokio::sync::watch::Receiver<Option<Revision>>,
) -> History {
    let mut seen = History::default();
    let mut last = Revision::ZERO;
    let mut until = until;
    loop {
        let mut stream = store.watch(Scope::Global, last);
        loop {
            if until.borrow_and_update().is_some_and(|end| last >= end) {
                return seen;
            }
            let next = tokio::select! {
                next = stream.next() => next,
                _ = until.changed() => continue,
            };
            match next {
                Some(Ok(Change { revision, op, .. })) => {
                    seen.watched.push((revision, op));
                    last = revision;
                }
                Some(Err(Error::Unavailable { .. } | Error::Behind { .. })) => break,
                other => panic!("{other:?}"),
            }
        }
        seen.resumed += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub fn key(table: &'static str, number: i64) -> Key {
    let id = format!("{number:08}");
    Key::new(Scope::Global, Name::from_static(table), &id).unwrap()
}

async fn write(store: &Sql, number: i64) -> Event {
    let batch = batch(number);
    let begun = Instant::now();
    let answer = store.commit(batch.clone()).await;
    Event {
        number,
        batch,
        answer,
        took: begun.elapsed(),
        at: Instant::now(),
    }
}

pub fn batch(number: i64) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    for table in ["left", "right"] {
        let key = key(table, number);
        batch.guards.push(Guard::Absent(key.clone()));
        batch.writes.push(Write::Put(Record {
            key,
            fields: vec![Field {
                name: Name::from_static("number"),
                value: Value::Int(number),
                unique: true,
            }],
            doc: Bytes::from(format!("\"{}\"", "x".repeat(400))),
        }));
    }
    batch
}
