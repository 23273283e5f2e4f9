//! The authority is a PostgreSQL that goes away.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Read, Replicated, Revision, Sql, SqlOptions, Store};
use tempfile::TempDir;

use crate::kit::{Following, HANG, assert_same, key, options, put, write};
use crate::postgres::Postgres;

/// A store on this server, its replica, and some records.
async fn start(server: &Postgres, folder: &Path) -> (Replicated, Following, Revision) {
    let mut settings = SqlOptions::new(&server.url("global")).unwrap();
    settings.connections = 4;
    let authority: Arc<dyn Store> = Arc::new(Sql::connect(settings, SCHEMAS).await.unwrap());
    let last = write(&*authority, 0..20).await;
    let mut options = options(folder);
    options.patience = Duration::from_secs(2);
    let following = Following::start(Arc::clone(&authority), options).await;
    following.reaches(last).await;
    let store = Replicated::new(authority, Arc::clone(&following.replica));
    (store, following, last)
}

/// Stale reads go on, others say clearly that they cannot.
async fn assert_read_only(store: &Replicated, last: Revision) {
    for read in [Read::Stale, Read::AtLeast(last)] {
        let found = store.get(&key("19"), read).await.unwrap();
        assert_eq!(found.unwrap().version, last.into(), "{read:?}");
    }
    let begun = Instant::now();
    let error = store.get(&key("19"), Read::Latest).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let error = store.commit(put("during", "during")).await.unwrap_err();
    let away = matches!(error, Error::Unavailable { .. } | Error::Unknown(_));
    assert!(away, "{error:?}");
    assert!(begun.elapsed() < HANG);
}

/// Without any help, the replica follows again.
async fn assert_recovers(store: &Replicated, following: &Following) {
    let begun = Instant::now();
    let last = loop {
        match store.commit(put("after", "after")).await {
            Ok(last) => break last,
            Err(error) => assert!(begun.elapsed() < HANG, "{error}"),
        }
    };
    following.reaches(last).await;
    assert_same(store, &following.replica).await;
    assert_eq!(
        following.replica.status().copies,
        1,
        "it went on from what it had"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_reads_go_on_while_the_database_is_down_and_then_it_is_followed_again() {
    let mut server = Postgres::start();
    server.create_database("global");
    let folder = TempDir::new().unwrap();
    let (store, following, last) = start(&server, folder.path()).await;
    server.stop();
    following.is_cut_off().await;
    let before = following.replica.status().age.unwrap();
    assert_read_only(&store, last).await;
    assert!(
        following.replica.status().age.unwrap() > before,
        "it grows older"
    );
    let server = tokio::task::spawn_blocking(move || {
        server.run();
        server
    });
    let _server = server.await.unwrap();
    assert_recovers(&store, &following).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_reads_go_on_while_the_database_stands_still() {
    let server = Postgres::start();
    server.create_database("global");
    let folder = TempDir::new().unwrap();
    let (store, following, last) = start(&server, folder.path()).await;
    signal(&server, "STOP");
    following.is_cut_off().await;
    assert_read_only(&store, last).await;
    signal(&server, "CONT");
    assert_recovers(&store, &following).await;
}

/// Sends a signal to a server and to every process that it has started.
fn signal(server: &Postgres, signal: &str) {
    let parent = server.pid();
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(children).unwrap();
    let own = parent.to_string();
    let all = std::iter::once(own.as_str()).chain(children.split_whitespace());
    // A child may have ended by itself.
    Command::new("kill")
        .args(["-s", signal])
        .args(all)
        .output()
        .unwrap();
}
