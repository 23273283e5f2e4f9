//! No statement and no wait is without a bound.

use std::time::Duration;

use metal_storage::{Read, Store};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::kit::{bounded, database, is_unavailable, key, open, options, put, server};

/// Holds a table of a database, so that nobody reads it.
async fn hold(database: &str) -> PgConnection {
    let mut holder = PgConnection::connect(&server().url(database))
        .await
        .unwrap();
    holder.execute("BEGIN").await.unwrap();
    holder.execute("LOCK TABLE other").await.unwrap();
    holder
}

const RUNNING: &str = "SELECT count(*) FROM pg_stat_activity \
WHERE application_name = 'metal-storage' AND datname = current_database()";

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    let name = database();
    let mut options = options(&name);
    options.statement_wait = Duration::from_millis(500);
    let store = open(&options).await;
    let holder = hold(&name).await;
    let error = bounded(store.get(&key("a"), Read::Latest))
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("statement timeout (57014)"), "{said}");
    let answer = bounded(store.commit(put("a"))).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    let waiting = format!("{RUNNING} AND state = 'active'");
    assert_eq!(server().sql(&name, &waiting), "0", "nothing is left behind");
    holder.close().await.unwrap();
    assert_eq!(store.get(&key("a"), Read::Latest).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_no_more_connections_than_allowed_and_who_gets_none_is_told() {
    let name = database();
    let mut options = options(&name);
    options.connections = 2;
    options.connect_wait = Duration::from_secs(1);
    options.statement_wait = Duration::from_secs(50);
    let store = std::sync::Arc::new(open(&options).await);
    let holder = hold(&name).await;
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = std::sync::Arc::clone(&store);
        reads.spawn(async move { store.get(&key("a"), Read::Latest).await });
    }
    for _ in 0..4 {
        let answer = bounded(reads.join_next()).await.unwrap().unwrap();
        assert!(is_unavailable(&answer), "{answer:?}");
        let said = answer.unwrap_err().to_string();
        assert!(said.contains("no connection to the database"), "{said}");
    }
    let listener = 1;
    assert_eq!(server().sql(&name, RUNNING), (2 + listener).to_string());
    holder.close().await.unwrap();
    for answer in bounded(reads.join_all()).await {
        assert_eq!(answer, Ok(None));
    }
}
