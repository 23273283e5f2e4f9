//! Traffic, a failpoint, and the verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::{Sql, SqlOptions};
use tokio::sync::watch;

use crate::failpoint::Failpoint;
use crate::model::Model;
use crate::report::report;
use crate::traffic::{SCHEMAS, Traffic};
use crate::validate::{until, validate, validate_watch};

/// No commit is answered later: its place in the queue, its answer, and a busy machine.
pub const ANSWER: Duration = Duration::from_secs(12);

/// The store works again this soon after the fault is over.
const BACK: Duration = Duration::from_secs(30);

/// Commits between two faults.
const COMMITS: usize = 200;

/// How often the fault strikes.
fn rounds() -> usize {
    match std::env::var("METAL_TEST_FAULT_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("METAL_TEST_FAULT_ROUNDS is a number"),
        Err(_) => 1,
    }
}

pub fn options(url: &str) -> SqlOptions {
    let mut options = SqlOptions::new(url).unwrap();
    options.connections = 8;
    options.connect_wait = Duration::from_secs(2);
    options.statement_wait = Duration::from_secs(1);
    options.retry_wait = Duration::from_secs(3);
    options.commit_wait = Duration::from_secs(5);
    options.history_revisions = 10_000_000;
    options
}

/// Runs clients on a database of its own while it fails.
pub async fn run(mut failpoint: impl Failpoint) {
    let url = failpoint.start().await;
    let store = Sql::connect(options(&url), SCHEMAS).await.unwrap();
    let store = Arc::new(store);
    let (end, ends) = watch::channel(None);
    let watcher = tokio::spawn(crate::traffic::watch(Arc::clone(&store), ends));
    let traffic = Traffic::start(&store);
    let mut back = Vec::new();
    for _ in 0..rounds() {
        let begun = Instant::now();
        until("commits before the fault", BACK, || {
            traffic.acknowledged_since(begun) >= COMMITS
        })
        .await;
        failpoint.strike().await;
        failpoint.heal().await;
        let healed = Instant::now();
        let works = || traffic.acknowledged_since(healed) > 0;
        back.push(until("commits after the fault", BACK, works).await);
    }
    let healed = Instant::now();
    until("commits at the end", BACK, || {
        traffic.acknowledged_since(healed) >= COMMITS
    })
    .await;
    let history = traffic.stop().await;
    let model = Model::of(&history);
    let felt = !model.refused.is_empty() || !model.unsure.is_empty();
    assert!(felt || !failpoint.is_felt(), "the fault was not felt");
    let last = validate(&store, &model, &history).await;
    end.send(Some(last)).unwrap();
    let watched = tokio::time::timeout(BACK, watcher).await.unwrap().unwrap();
    validate_watch(&watched.watched, &model, &history);
    report(failpoint.name(), &model, &history, watched.resumed, &back);
}
