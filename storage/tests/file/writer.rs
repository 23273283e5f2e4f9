//! A process that writes until it is killed: this test program itself, told so by its
//! environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use metal_storage::{
    Batch, Field, Guard, Key, Name, Record, Redb, RedbOptions, Scope, Store, Value, Write,
};

const FILE: &str = "METAL_STORAGE_WRITER_FILE";
const FIRST: &str = "METAL_STORAGE_WRITER_FIRST";
const CLIENTS: &str = "METAL_STORAGE_WRITER_CLIENTS";

/// Starts a process with so many clients, which prints the number of each batch, from `first` on,
/// once it is acknowledged.
pub fn start(path: &Path, first: u64, clients: usize) -> Child {
    start_with(path, first, clients, &[])
}

/// The same with more in its environment.
pub fn start_with(
    path: &Path,
    first: u64,
    clients: usize,
    environment: &[(&str, PathBuf)],
) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "writer::writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(FILE, path)
        .env(FIRST, first.to_string())
        .env(CLIENTS, clients.to_string())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Does nothing in the process that runs the tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let number = |name| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let store = Arc::new(Redb::open(file, RedbOptions::default()).unwrap());
    let next = Arc::new(AtomicU64::new(number(FIRST)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..number(CLIENTS) {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                store.commit(batch(number)).await.unwrap();
                // One write(2) a line, so that only the last can be cut off.
                let line = format!("\n{number}.\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    tasks.join_all().await;
}

fn batch(number: u64) -> Batch {
    let key = |table, id: String| Key::new(Scope::Global, Name::from_static(table), &id).unwrap();
    let mut batch = Batch::new(Scope::Global);
    for table in ["left", "right"] {
        let key = key(table, format!("{number:08}"));
        batch.guards.push(Guard::Absent(key.clone()));
        batch.writes.push(Write::Put(Record {
            key,
            fields: vec![Field {
                name: Name::from_static("number"),
                value: Value::Int(i64::try_from(number).unwrap()),
                unique: true,
            }],
            doc: Bytes::from(format!("\"{}\"", "x".repeat(400))),
        }));
    }
    batch
}
