//! PostgreSQL fails under load: what was acknowledged is kept, what was not is said to be so, and
//! the store comes back by itself.
//!
//! Each test is one [`Scenario`](scenario::Scenario): traffic, a failpoint, and then a validation
//! of the history against the model; a line of report each. `METAL_TEST_FAULT_ROUNDS` strikes
//! more often than once.
#![allow(clippy::unwrap_used, reason = "tests")]

mod clock;
mod failpoint;
mod model;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/proxy/mod.rs"]
mod proxy;
mod report;
mod scenario;
mod traffic;
mod validate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clock::{Steps, hold, waiting};
use failpoint::{Crash, Cut, Flood, FullDisk, Pause};
use metal_storage::sql::migrations;
use metal_storage::{OpId, Revision, Sql, Store};
use model::Model;
use postgres::Postgres;
use scenario::{options, run};
use sqlx::Connection;
use traffic::{SCHEMAS, Traffic, batch};
use validate::{until, validate, validate_watch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_kept_what_was_acknowledged() {
    run(Crash::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_reported_in_bounded_time() {
    run(Pause::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_out_of_reach_is_found_again() {
    run(Cut::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_around_commits_leave_no_doubt() {
    run(Flood::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_is_over_when_there_is_room() {
    if let Some(disk) = FullDisk::mount() {
        run(disk).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_clock_steps_forward_and_back_loses_nothing() {
    run(Steps::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_migrate_at_once_after_a_step_of_the_clock_do_no_harm() {
    let server = Postgres::with_clock(&["fsync=off"]);
    let url = server.create_database("stepped");
    let mut options = options(&url);
    options.statement_wait = Duration::from_secs(30);
    let node = || tokio::spawn(Sql::connect(options.clone(), SCHEMAS));
    let bound = Duration::from_secs(30);
    // One node is held up in the middle. Its lock expires by a step of the clock, and another
    // takes over; and then the clock is set back, and a third finds a lock of the future.
    let holder = hold(&url, "right").await;
    let mut nodes = Vec::new();
    for (hours, at_once) in [(0, "1"), (1, "2"), (-1, "3")] {
        server.step_clock(hours * 3600);
        nodes.push(node());
        let wait = || waiting(&server, "stepped", "right") == at_once;
        until("another that migrates", bound, wait).await;
    }
    // The others wait for this connection's transaction, which ends with it.
    holder.close().await.unwrap();
    for (i, node) in nodes.into_iter().enumerate() {
        let store = tokio::time::timeout(bound, node).await.unwrap().unwrap();
        let made = store.unwrap().commit(batch(i as i64)).await.unwrap();
        assert_eq!(made.get(), i as u64 + 1);
    }
    let left = "SELECT (SELECT count(*) FROM metal_migration), (SELECT count(*) FROM metal_migration_lock)";
    let all = migrations(SCHEMAS).unwrap().len();
    assert_eq!(server.sql("stepped", left), format!("{all}|0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_write_a_half_one_and_a_gap_are_noticed() {
    let server = Postgres::start();
    let url = server.create_database("broken");
    let connect = || Sql::connect(options(&url), SCHEMAS);
    let store = Arc::new(connect().await.unwrap());
    let traffic = Traffic::start(&store);
    let begun = Instant::now();
    let some = || traffic.acknowledged_since(begun) > 20;
    until("commits", Duration::from_secs(30), some).await;
    let history = Arc::new(traffic.stop().await);
    let watched: Vec<_> = (history.events.iter())
        .map(|event| (event.answer.clone().unwrap(), event.batch.op))
        .collect();
    let noticed = |watched: Vec<(Revision, OpId)>| {
        let history = Arc::clone(&history);
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let model = Model::of(&history);
            validate_watch(&watched, &model, &history);
            validate(&store, &model, &history).await;
        })
    };
    let mut sorted = watched.clone();
    sorted.sort_unstable();
    let mut gap = sorted.clone();
    gap.remove(7);
    assert!(noticed(gap).await.unwrap_err().is_panic());
    let mut swapped = sorted.clone();
    let (op, other) = (swapped[3].1, swapped[4].1);
    (swapped[3].1, swapped[4].1) = (other, op);
    assert!(noticed(swapped).await.unwrap_err().is_panic());
    for lost in [
        "DELETE FROM \"left\" WHERE number = 1",
        "DELETE FROM \"right\" WHERE number = 1",
    ] {
        server.sql("broken", lost);
        assert!(noticed(sorted.clone()).await.unwrap_err().is_panic());
    }
}
