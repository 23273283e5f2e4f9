//! How soon a file is open again after the process that wrote it was killed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use metal_storage::{Query, Read, Redb, RedbOptions, Store};

use crate::data::{SCHEMAS, batch, scope};
use crate::{backends, setting};

const FILE: &str = "METAL_BENCH_FILL";

/// Whether this process was started to be killed.
pub fn is_child() -> bool {
    std::env::var_os(FILE).is_some()
}

/// Writes until it is killed; says so once it has written enough.
pub async fn fill() {
    let path = std::env::var_os(FILE).unwrap();
    let enough = setting("METAL_BENCH_RECOVERY_MB", 1024) << 20;
    let options = RedbOptions {
        history_bytes: 64 << 20,
        ..RedbOptions::default()
    };
    let store = Redb::open(path, options).unwrap();
    let mut written = 0;
    let mut said = false;
    loop {
        let batch = batch(&scope("recovery"), 128, 8 * 1024);
        written += batch.size() as u64;
        store.commit(batch).await.unwrap();
        if written > enough && !said {
            println!("enough");
            said = true;
        }
    }
}

pub async fn measure() {
    let megabytes = setting("METAL_BENCH_RECOVERY_MB", 1024);
    if megabytes == 0 {
        return;
    }
    let folder = backends::folder();
    let path = folder.path().join("store.redb");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(FILE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "enough");
    let filled = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    let size = std::fs::metadata(&path).unwrap().len() >> 20;
    let begun = Instant::now();
    let store = Redb::open(&path, RedbOptions::default()).unwrap();
    let opened = begun.elapsed();
    let mut query = Query::new(scope("recovery"), SCHEMAS[0].table().try_into().unwrap());
    query.limit = 1;
    store.list(&query, Read::Latest).await.unwrap();
    let read = begun.elapsed();
    let one = batch(&scope("recovery"), 1, 400);
    store.commit(one).await.unwrap();
    println!(
        "\nredb after kill -9, {megabytes} MiB of records in a file of {size} MiB \
         (written in {filled:.2?}): open in {opened:.2?}, first list after {read:.2?}, first \
         commit after {:.2?}",
        begun.elapsed()
    );
}
