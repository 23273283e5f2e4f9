//! Commits a second and latencies of an etcd store. Run it with `--release`.
//!
//! `measure_etcd etcd://HOST:PORT,… [SECONDS]`; what it wrote stays there under the prefix.
#![allow(clippy::unwrap_used, reason = "an example")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use metal_storage::{
    Batch, Etcd, EtcdOptions, Field, Key, Name, Query, Read, Record, Revision, Scope, Store, Value,
    Write,
};

fn record(number: u64) -> Write {
    let number = i64::try_from(number).unwrap();
    Write::Put(Record {
        key: key(number),
        fields: vec![
            Field {
                name: Name::from_static("number"),
                value: Value::Int(number),
                unique: true,
            },
            Field {
                name: Name::from_static("parity"),
                value: Value::Int(number % 2),
                unique: false,
            },
        ],
        doc: Bytes::from(format!("\"{}\"", "x".repeat(400))),
    })
}

fn key(number: i64) -> Key {
    let table = Name::from_static("thing");
    Key::new(Scope::Global, table, &format!("{number:08}")).unwrap()
}

fn batch(numbers: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.extend(numbers.map(record));
    batch
}

fn percentiles(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let at = |percent: usize| took[took.len() * percent / 100];
    format!("p50 {:?}, p99 {:?}", at(50), at(99))
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args
        .next()
        .expect("measure_etcd etcd://HOST:PORT,… [SECONDS]");
    let time: u64 = args.next().map_or(3, |seconds| seconds.parse().unwrap());
    let time = Duration::from_secs(time);
    let options = EtcdOptions {
        prefix: format!("measure-{}", uuid::Uuid::new_v4()),
        ..EtcdOptions::from_url(&url).unwrap()
    };
    let store = Arc::new(Etcd::connect(options.clone(), &[]).await.unwrap());
    let next = Arc::new(AtomicU64::new(0));
    for nodes in [1, 2] {
        let mut stores = vec![Arc::clone(&store)];
        if nodes == 2 {
            stores.push(Arc::new(Etcd::connect(options.clone(), &[]).await.unwrap()));
        }
        for clients in [1, 8, 32, 128] {
            if clients >= nodes {
                commits(&stores, clients, &next, time).await;
            }
        }
    }
    delivery(&store, &options, &next).await;
    let mut number = next.load(Ordering::Relaxed);
    while number < 100_000 {
        store.commit(batch(number..number + 100)).await.unwrap();
        number += 100;
    }
    let begun = Instant::now();
    let fresh = Etcd::connect(options, &[]).await.unwrap();
    fresh.get(&key(0), Read::Latest).await.unwrap();
    println!(
        "{number} records read by a new node in {:?}",
        begun.elapsed()
    );
    lists(&fresh).await;
}

async fn commits(stores: &[Arc<Etcd>], clients: usize, next: &Arc<AtomicU64>, time: Duration) {
    let figures = || -> (u64, u64, u64) {
        let stats = stores.iter().map(|store| store.stats());
        stats.fold((0, 0, 0), |sum, stats| {
            (
                sum.0 + stats.batches,
                sum.1 + stats.groups,
                sum.2 + stats.retries,
            )
        })
    };
    let (begun, before) = (Instant::now(), figures());
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let store = Arc::clone(&stores[client % stores.len()]);
        let (next, stop) = (Arc::clone(next), Arc::clone(&stop));
        tasks.spawn(async move {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let number = next.fetch_add(1, Ordering::Relaxed);
                store.commit(batch(number..number + 1)).await.unwrap();
                took.push(begun.elapsed());
            }
            took
        });
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let after = figures();
    println!(
        "{} nodes, {clients:4} clients: {:7.0} commits/s, {}, {:.1} commits a group, {} retries",
        stores.len(),
        took.len() as f64 / begun.elapsed().as_secs_f64(),
        percentiles(&mut took),
        (after.0 - before.0) as f64 / (after.1 - before.1) as f64,
        after.2 - before.2,
    );
}

/// From the acknowledgement on one node to the watcher on another.
async fn delivery(store: &Arc<Etcd>, options: &EtcdOptions, next: &AtomicU64) {
    let other = Etcd::connect(options.clone(), &[]).await.unwrap();
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    let since = other.list(&query, Read::Latest).await.unwrap().revision;
    let mut stream = other.watch(Scope::Global, since);
    let mut took = Vec::new();
    for _ in 0..200 {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let revision: Revision = store.commit(batch(number..number + 1)).await.unwrap();
        let begun = Instant::now();
        while stream.next().await.unwrap().unwrap().revision < revision {}
        took.push(begun.elapsed());
    }
    println!(
        "a watcher on another node is told after {}",
        percentiles(&mut took)
    );
}

async fn lists(store: &Etcd) {
    let mut took = Vec::new();
    for number in 0..500 {
        let begun = Instant::now();
        store.get(&key(number), Read::Latest).await.unwrap();
        took.push(begun.elapsed());
    }
    println!("get of the latest: {}", percentiles(&mut took));
    let mut query = Query::new(Scope::Global, Name::from_static("thing"));
    query
        .equal
        .push((Name::from_static("parity"), Value::Int(1)));
    let begun = Instant::now();
    let mut listed = 0;
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        listed += page.records.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    println!("{listed} records listed by index in {:?}", begun.elapsed());
}
