//! Commits and reads a second of a SQL store. Run it with `--release`.
//!
//! `measure_sql postgres://USER@HOST/DATABASE [SECONDS]`
#![allow(clippy::unwrap_used, reason = "an example")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use metal_storage::{
    Batch, Column, Field, Key, Name, Query, Read, Record, Revision, Schema, Scope, Sql, SqlOptions,
    Store, Value, Write,
};

const THING: Schema = Schema::new(
    "thing",
    &[Column::int("number").unique(), Column::int("parity")],
);

fn batch(number: u64) -> Batch {
    let number = i64::try_from(number).unwrap();
    let field = |name, value, unique| Field {
        name: Name::from_static(name),
        value: Value::Int(value),
        unique,
    };
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key(number),
        fields: vec![
            field("number", number, true),
            field("parity", number % 2, false),
        ],
        doc: Bytes::from(format!("\"{}\"", "x".repeat(400))),
    }));
    batch
}

fn key(number: i64) -> Key {
    let table = Name::from_static("thing");
    Key::new(Scope::Global, table, &format!("{number:08}")).unwrap()
}

fn show(what: &str, mut took: Vec<Duration>, elapsed: Duration, more: &str) {
    took.sort_unstable();
    println!(
        "{what}: {:7.0}/s, p50 {:?}, p99 {:?}{more}",
        took.len() as f64 / elapsed.as_secs_f64(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("measure_sql URL [SECONDS]");
    let time: u64 = args.next().map_or(3, |seconds| seconds.parse().unwrap());
    let time = Duration::from_secs(time);
    let options = SqlOptions::new(&url).unwrap();
    let store = Arc::new(Sql::connect(options.clone(), &[THING]).await.unwrap());
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    let head = store.list(&query, Read::Latest).await.unwrap().revision;
    let next = Arc::new(AtomicU64::new(head.get()));
    for clients in [1, 8, 32, 128] {
        let (begun, before) = (Instant::now(), store.stats());
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
        let took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let stats = store.stats();
        let groups = (stats.groups - before.groups) as f64;
        let group = (stats.batches - before.batches) as f64 / groups;
        let more = format!(", {group:.1} a group");
        show(
            &format!("commits by {clients:3} clients"),
            took,
            begun.elapsed(),
            &more,
        );
    }
    let (begun, mut took, mut number) = (Instant::now(), Vec::new(), 1_u64);
    while begun.elapsed() < time {
        let begun = Instant::now();
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let number = i64::try_from((number >> 20) % next.load(Ordering::Relaxed)).unwrap();
        store.get(&key(number), Read::Latest).await.unwrap();
        took.push(begun.elapsed());
    }
    show("gets by one client", took, begun.elapsed(), "");
    let mut query = query;
    query
        .equal
        .push((Name::from_static("parity"), Value::Int(1)));
    let (begun, mut listed) = (Instant::now(), 0);
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        listed += page.records.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    println!("{listed} records listed by index in {:?}", begun.elapsed());
    let other = Sql::connect(options, &[THING]).await.unwrap();
    let head = Revision::new(
        store
            .list(&query, Read::Latest)
            .await
            .unwrap()
            .revision
            .get(),
    );
    let mut stream = other.watch(Scope::Global, head);
    let (begun, mut took) = (Instant::now(), Vec::new());
    for _ in 0..200 {
        store
            .commit(batch(next.fetch_add(1, Ordering::Relaxed)))
            .await
            .unwrap();
        let committed = Instant::now();
        stream.next().await.unwrap().unwrap();
        took.push(committed.elapsed());
    }
    show(
        "from the acknowledgement to another node's watcher",
        took,
        begun.elapsed(),
        "",
    );
}
