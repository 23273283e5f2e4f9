//! What becomes of commits, reads and watches while members of etcd die, stand still or are cut
//! off. Members wait for their disk here, as in production.
//!
//! In each test, two nodes commit and watch all the time, before the fault, during it and after.
//! In the end nothing acknowledged is lost, nothing is there twice, and what was answered as not
//! done is not there. `METAL_TEST_FAULT_SECONDS` says how long each of the three takes, 1 unless it
//! does. The cuts and the full disks need root: they make and
//! remove network namespaces and small file systems.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../etcd/cluster.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod cluster;
mod cuts;
mod deaths;
mod disks;
mod network;
#[path = "../etcd/newer.rs"]
mod newer;
mod proxy;
mod traffic;

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

/// Held by the test that runs: each loads the machine, and elections are a matter of time.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    cluster::require_etcd();
    ONE.lock().await
}

/// A while, for commits to be made in.
async fn while_commits_go_on() {
    let seconds = std::env::var("METAL_TEST_FAULT_SECONDS").map_or(1, |text| text.parse().unwrap());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_newer_etcd_passes_the_death_of_its_leader_too() {
    newer::passes(&["deaths::commits_go_on_when_the_leader_dies"]);
}
