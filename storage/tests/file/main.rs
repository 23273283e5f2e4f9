//! The file on a real file system: processes that are killed, locks, and files that are no store.
#![allow(clippy::unwrap_used, reason = "tests")]

mod clock;
mod compaction;
mod disk;
mod format;
mod writer;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use metal_storage::{
    Batch, Error, Key, Name, Query, Read, Record, Redb, RedbOptions, Revision, Scope, Store, Write,
};
use tempfile::TempDir;

fn open(path: &Path) -> Result<Redb, Error> {
    Redb::open(path, RedbOptions::default())
}

fn put(id: &str) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key("thing", id),
        fields: Vec::new(),
        doc: "1".into(),
    }));
    batch
}

fn key(table: &'static str, id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static(table), id).unwrap()
}

#[tokio::test]
async fn every_acknowledged_write_survives_kill_9() {
    const KILLS: u64 = 30;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut first = 0;
    for kill in 0..KILLS {
        let mut child = writer::start(&path, first, 1 + (kill as usize % 3) * 16);
        let output = BufReader::new(child.stdout.take().unwrap());
        let (count, mut counted) = tokio::sync::watch::channel(0);
        let reader = std::thread::spawn(move || {
            let mut numbers: Vec<u64> = Vec::new();
            for line in output.lines().map_while(Result::ok) {
                if let Some(Ok(number)) = line.strip_suffix('.').map(str::parse) {
                    numbers.push(number);
                    count.send_replace(numbers.len());
                }
            }
            numbers
        });
        // The first die while they make the file, the others at some moment of some commit.
        if kill >= 8 {
            let enough = kill as usize * 3;
            counted.wait_for(|count| *count >= enough).await.unwrap();
        }
        tokio::time::sleep(Duration::from_micros(kill * 1_337)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(reader.join().unwrap());
        first += 1_000_000;
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());

    let store = open(&path).unwrap();
    let mut pairs = [0, 0];
    for (i, table) in ["left", "right"].into_iter().enumerate() {
        for number in &acknowledged {
            let found = store
                .get(&key(table, &format!("{number:08}")), Read::Latest)
                .await;
            assert!(
                found.unwrap().is_some(),
                "{number} of {table} was acknowledged"
            );
        }
        let mut query = Query::new(Scope::Global, Name::from_static(table));
        loop {
            let page = store.list(&query, Read::Latest).await.unwrap();
            pairs[i] += page.records.len();
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    assert_eq!(pairs[0], pairs[1], "whole batches");
    let next = store.commit(put("next")).await.unwrap();
    assert_eq!(
        next,
        Revision::new(pairs[0] as u64 + 1),
        "no revision is missing"
    );
}

#[tokio::test]
async fn a_file_in_use_is_refused_and_free_when_its_process_dies() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let mut child = writer::start(&path, 0, 1);
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "0."), "it writes");
    let error = open(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("store.redb is in use by another process"),
        "{error}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let store = open(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { .. }),
        "in one process too: {error:?}"
    );
    store.close().await;
    let error = store.commit(put("a")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let error = store
        .get(&key("thing", "a"), Read::Latest)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    open(&path).unwrap().close().await;
}

#[tokio::test]
async fn a_watcher_is_told_when_the_store_closes() {
    use futures::StreamExt;
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("store.redb")).unwrap();
    let mut stream = store.watch(Scope::Global, Revision::ZERO);
    assert!(futures::poll!(stream.next()).is_pending());
    store.close().await;
    let told = tokio::time::timeout(Duration::from_secs(10), stream.next()).await;
    assert!(
        matches!(told, Ok(Some(Err(Error::Unavailable { .. })))),
        "{told:?}"
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_file_that_is_no_store_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    open(&path).unwrap().close().await;
    let good = std::fs::read(&path).unwrap();
    let contents: [(&str, Vec<u8>); 4] = [
        ("empty", Vec::new()),
        ("text", b"hello".repeat(2_000)),
        ("cut off", good[..5_000].to_vec()),
        (
            "without its first page",
            [&[0; 4096], &good[4096..]].concat(),
        ),
    ];
    for (what, bytes) in contents {
        std::fs::write(&path, &bytes).unwrap();
        let error = open(&path).unwrap_err();
        assert!(error.to_string().contains("store.redb"), "{what}: {error}");
        assert!(std::fs::read(&path).unwrap() == bytes, "{what} was changed");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    open(&path).unwrap().close().await;
    let database = redb::Database::open(&path).unwrap();
    let txn = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    let newer = 1_000_u32.to_le_bytes();
    txn.open_table(meta)
        .unwrap()
        .insert("format", newer.as_slice())
        .unwrap();
    txn.commit().unwrap();
    drop(database);
    let error = open(&path).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("has format 1000"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let error = open(&folder.path().join("missing/store.redb")).unwrap_err();
    assert!(error.to_string().contains("missing/store.redb"), "{error}");
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_bounded_group_is_enough() {
    let folder = TempDir::new().unwrap();
    let options = RedbOptions {
        queue: 1,
        queue_wait: Duration::ZERO,
        group_batches: 1,
        ..RedbOptions::default()
    };
    let store = Redb::open(folder.path().join("store.redb"), options).unwrap();
    let commits = (0..50).map(|i| store.commit(put(&i.to_string())));
    let answers = futures::future::join_all(commits).await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(done >= 1);
    assert!(done < 50, "some found the queue full");
    for error in answers.into_iter().filter_map(Result::err) {
        assert!(
            matches!(&error, Error::Unavailable { reason } if reason.contains("waiting")),
            "{error:?}"
        );
    }
    let query = Query::new(Scope::Global, Name::from_static("thing"));
    let page = store.list(&query, Read::Latest).await.unwrap();
    assert_eq!(page.records.len(), done, "refused means not done");
    assert_eq!(store.stats().committed, done as u64);
}

#[tokio::test]
async fn commits_at_the_same_time_share_a_group() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("store.redb")).unwrap();
    let commits = (0..200).map(|i| store.commit(put(&i.to_string())));
    for answer in futures::future::join_all(commits).await {
        answer.unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.committed, 200);
    assert!(stats.groups < 50, "{stats:?}");
    assert_eq!(stats.latency.iter().sum::<u64>(), 200);
}
