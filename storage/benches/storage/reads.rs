use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use metal_storage::limits::BATCH_WRITES;
use metal_storage::{Name, Query, Read, Revision, Store, Value};
use tokio::task::JoinSet;

use crate::data::{DOCUMENT, batch, scope};
use crate::{quantile, setting};

/// How long after it was sent a commit is answered, and how long until a watcher has it.
pub async fn watch(store: &Arc<dyn Store>) {
    const COMMITS: usize = 200;
    let scope = scope("watch");
    let mut stream = store.watch(scope.clone(), Revision::ZERO);
    let watcher = tokio::spawn(async move {
        let mut seen = HashMap::new();
        while seen.len() < COMMITS {
            let change = stream.next().await.unwrap().unwrap();
            seen.insert(change.op, Instant::now());
        }
        seen
    });
    let mut sent = Vec::new();
    for _ in 0..COMMITS {
        let batch = batch(&scope, 1, DOCUMENT);
        let (op, begun) = (batch.op, Instant::now());
        store.commit(batch).await.unwrap();
        sent.push((op, begun, begun.elapsed()));
    }
    let seen = watcher.await.unwrap();
    let sorted = |mut took: Vec<Duration>| {
        took.sort_unstable();
        (quantile(&took, 500), quantile(&took, 990))
    };
    let answered = sorted(sent.iter().map(|(_, _, took)| *took).collect());
    let delivered = sent.iter().map(|(op, begun, _)| seen[op] - *begun);
    let delivered = sorted(delivered.collect());
    println!(
        "  commit to delivery  p50 {:.2?}  p99 {:.2?}  (to its answer {:.2?}, {:.2?})",
        delivered.0, delivered.1, answered.0, answered.1
    );
}

/// How long it takes to list many records by an index that half of all have.
pub async fn list(store: &Arc<dyn Store>) {
    const WRITERS: usize = 4;
    let records = setting("METAL_BENCH_RECORDS", 100_000) as usize;
    let scope = scope("list");
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    let batches = (2 * records).div_ceil(BATCH_WRITES);
    for writer in 0..WRITERS {
        let (store, scope) = (Arc::clone(store), scope.clone());
        writers.spawn(async move {
            for _ in (writer..batches).step_by(WRITERS) {
                let batch = batch(&scope, BATCH_WRITES, DOCUMENT);
                store.commit(batch).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let written = begun.elapsed();
    let mut query = Query::new(scope, Name::from_static("thing"));
    query.equal = vec![(Name::from_static("parity"), Value::Int(1))];
    let begun = Instant::now();
    let mut listed = 0;
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        listed += page.records.len();
        match page.next {
            Some(next) if listed < records => query.after = Some(next),
            _ => break,
        }
    }
    println!(
        "  {listed} of {} records listed by index in {:.2?}  ({batches} batches written in {written:.2?})",
        batches * BATCH_WRITES,
        begun.elapsed(),
    );
}
