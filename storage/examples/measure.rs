//! Commits and reads a second of a redb store. Run it with `--release`.
//!
//! `measure FOLDER [SECONDS]`
#![allow(clippy::unwrap_used, reason = "an example")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use metal_storage::{
    Batch, Field, Key, Name, Query, Read, Record, Redb, RedbOptions, Scope, Store, Value, Write,
};

fn batch(number: u64) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key(number),
        fields: vec![
            Field {
                name: Name::from_static("number"),
                value: Value::Int(i64::try_from(number).unwrap()),
                unique: true,
            },
            Field {
                name: Name::from_static("parity"),
                value: Value::Int(i64::try_from(number % 2).unwrap()),
                unique: false,
            },
        ],
        doc: Bytes::from(format!("\"{}\"", "x".repeat(400))),
    }));
    batch
}

fn key(number: u64) -> Key {
    let table = Name::from_static("thing");
    Key::new(Scope::Global, table, &format!("{number:08}")).unwrap()
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().expect("measure FOLDER [SECONDS]");
    let time: u64 = args.next().map_or(3, |seconds| seconds.parse().unwrap());
    let time = Duration::from_secs(time);
    let path = std::path::Path::new(&folder).join("measure.redb");
    let store = Arc::new(Redb::open(&path, RedbOptions::default()).unwrap());
    let next = Arc::new(AtomicU64::new(0));
    for clients in [1, 8, 32, 128] {
        let begun = Instant::now();
        let before = store.stats();
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let (store, next, stop) = (Arc::clone(&store), Arc::clone(&next), Arc::clone(&stop));
            tasks.spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    store.commit(batch(number)).await.unwrap();
                    took.push(begun.elapsed());
                }
                took
            });
        }
        tokio::time::sleep(time).await;
        stop.store(true, Ordering::Relaxed);
        let mut took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let elapsed = begun.elapsed().as_secs_f64();
        took.sort_unstable();
        let stats = store.stats();
        println!(
            "{clients:4} clients: {:7.0} commits/s, p50 {:?}, p99 {:?}, {:.1} commits a group",
            took.len() as f64 / elapsed,
            took[took.len() / 2],
            took[took.len() * 99 / 100],
            (stats.batches - before.batches) as f64 / (stats.groups - before.groups) as f64,
        );
    }
    let records = next.load(Ordering::Relaxed);
    reads(&store, records, time, "idle").await;
    let writing = tokio::spawn({
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                store.commit(batch(number)).await.unwrap();
            }
        }
    });
    reads(&store, records, time, "while one client commits").await;
    writing.abort();
    let _ = writing.await;
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
    store.close().await;
    let begun = Instant::now();
    let store = Redb::open(&path, RedbOptions::default()).unwrap();
    println!("opened again in {:?}", begun.elapsed());
    store.close().await;
    let size = std::fs::metadata(&path).unwrap().len();
    println!("{records} records in {} MiB", size >> 20);
    std::fs::remove_file(&path).unwrap();
}

async fn reads(store: &Arc<Redb>, records: u64, time: Duration, when: &str) {
    let begun = Instant::now();
    let mut took = Vec::new();
    let mut number = 1_u64;
    while begun.elapsed() < time {
        let begun = Instant::now();
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        store
            .get(&key((number >> 20) % records), Read::Latest)
            .await
            .unwrap();
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!(
        "{:9.0} gets/s by one client {when}, p50 {:?}, p99 {:?}, worst {:?}",
        took.len() as f64 / begun.elapsed().as_secs_f64(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
    );
}
