//! Reads that meet conflicts, tables that are too young, and a database that is away.

use std::time::{Duration, Instant};

use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Key, Read, Sql, Store};

use crate::backend::{options, proxy, server};
use crate::kit::key;
use crate::proxy::{Engine, Fault, Faults, Point, Proxy};

async fn store(database: &str, connect_wait: Duration) -> (Proxy, Sql, Key) {
    server().create_database(database);
    let proxy = proxy(Engine::Cockroach, Faults::none()).await;
    let mut options = options(&proxy, Engine::Cockroach, database);
    options.connect_wait = connect_wait;
    // It looks for what others committed by a statement of its own.
    options.poll = Duration::from_secs(3600);
    let store = Sql::connect(options, SCHEMAS).await.unwrap();
    (proxy, store, key("a"))
}

#[tokio::test]
async fn a_read_that_meets_conflicts_is_tried_again_and_counted() {
    let (proxy, store, key) = store("conflicts", Duration::from_secs(20)).await;
    let before = store.stats().retries;
    // More often than one would try without a pause.
    for _ in 0..8 {
        proxy.script(Point::Statement, Fault::Retry);
    }
    assert_eq!(store.get(&key, Read::Latest).await, Ok(None));
    assert!(proxy.script_is_done());
    assert_eq!(store.stats().retries, before + 8);
}

#[tokio::test]
async fn a_stale_read_of_a_table_that_was_not_there_then_is_answered_with_the_latest() {
    let (proxy, store, key) = store("young", Duration::from_secs(20)).await;
    proxy.script(Point::Statement, Fault::Missing);
    assert_eq!(store.get(&key, Read::Stale).await, Ok(None));
    assert!(proxy.script_is_done());
    proxy.script(Point::Statement, Fault::Missing);
    let latest = store.get(&key, Read::Latest).await.unwrap_err().to_string();
    assert!(latest.contains("is not migrated"), "{latest}");
}

#[tokio::test]
async fn a_stale_read_in_an_outage_is_refused_once_one_has_waited_for_a_connection() {
    let wait = Duration::from_secs(3);
    let (proxy, store, key) = store("away", wait).await;
    proxy.cut();
    for read in [Read::Stale, Read::Latest] {
        let begun = Instant::now();
        let error = store.get(&key, read).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(begun.elapsed() < 2 * wait, "{:?}", begun.elapsed());
    }
    proxy.mend();
    assert_eq!(store.get(&key, Read::Stale).await, Ok(None));
}
