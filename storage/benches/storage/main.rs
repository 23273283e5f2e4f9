//! What each backend gives: commits a second and how long they take at 1, 8, 32 and 128 clients,
//! how long until a watcher sees one, how long a list by index takes, and how soon a file is open
//! again after a crash. `cargo bench -p metal-storage [-- BACKEND…]`.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `METAL_BENCH_SECONDS` | of each figure of commits | 3 |
//! | `METAL_BENCH_RECORDS` | listed | 100000 |
//! | `METAL_BENCH_RECOVERY_MB` | in the file that is recovered; 0 for none | 1024 |
#![allow(clippy::unwrap_used, reason = "a program that measures")]

mod backends;
mod commits;
mod data;
#[path = "../../tests/etcd/cluster.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod etcd;
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod raw;
mod raw_etcd;
mod reads;
mod recovery;

use std::sync::Arc;
use std::time::Duration;

use metal_storage::Store;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text:?}")),
        Err(_) => default,
    }
}

/// The value below which so many per mille are.
fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    let at = (sorted.len() * per_mille / 1000).min(sorted.len() - 1);
    sorted[at]
}

async fn measure(name: &str, store: Arc<dyn Store>) -> Vec<f64> {
    println!("\n{name}");
    let rates = commits::measure(&store).await;
    reads::watch(&store).await;
    reads::list(&store).await;
    rates
}

#[tokio::main]
async fn main() {
    if recovery::is_child() {
        return recovery::fill().await;
    }
    let chosen: Vec<_> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    if wanted("memory") {
        // It looks at every record for each unique value: no place for a long list.
        let store = backends::memory();
        println!("\nmemory");
        commits::measure(&store).await;
        reads::watch(&store).await;
    }
    if wanted("redb") {
        let (folder, store) = backends::redb();
        measure("redb", store).await;
        drop(folder);
    }
    if wanted("redb-relaxed") {
        let (folder, store) = backends::redb_relaxed();
        measure("redb, durable within a second", store).await;
        drop(folder);
    }
    if wanted("postgres") {
        let server = postgres::Postgres::start();
        let url = server.create_database("bench");
        let rates = measure("PostgreSQL", backends::sql(&url).await).await;
        raw::measure(&server.create_database("raw"), &rates).await;
    }
    if wanted("etcd") {
        etcd::require_etcd();
        let cluster = etcd::Cluster::start(etcd::Disk::Durable);
        let store = backends::etcd(cluster.options()).await;
        let rates = measure("etcd, three members on this machine", store).await;
        raw_etcd::measure(&cluster.members[0].place.client_address(), &rates).await;
    }
    if wanted("recovery") {
        recovery::measure().await;
    }
}
