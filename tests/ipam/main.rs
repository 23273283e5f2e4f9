//! Pools that several nodes change at once, while the store below them fails.
//!
//! Laid out as the sentence that it tests: [`traffic`] of 64 clients on three [`nodes`](node), a
//! [`fault`], and a verdict over the change stream, which knows every state that the pools ever
//! had ([`follower`], [`verdict`]): at no revision is an address out twice or lost, what was acknowledged is
//! there, what was refused had to be, and all of it is in an order that agrees with the clocks of
//! the clients. Ten seconds each, or a minute where `METAL_TEST_LONG` is set.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../storage/tests/etcd/cluster.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod cluster;
mod fault;
mod follower;
mod lease;
mod node;
#[path = "../../storage/tests/support/postgres.rs"]
mod postgres;
#[path = "../../storage/tests/support/proxy/mod.rs"]
mod proxy;
mod state;
mod traffic;
mod verdict;

use fault::{DyingMembers, Faults, FlakyServer};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// One after another: each loads the machine.
static ONE: Mutex<()> = Mutex::const_new(());

#[test]
fn nodes_on_one_postgresql_hand_out_nothing_twice_whatever_is_retried_cut_or_killed() {
    run(FlakyServer::start);
}

#[test]
fn nodes_on_one_etcd_hand_out_nothing_twice_whichever_member_dies() {
    run(DyingMembers::start);
}

/// Every node has a runtime of its own, so that it can be killed; this one is the test's.
fn run<F: Faults>(start: impl AsyncFnOnce() -> F) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let _one = ONE.lock().await;
        traffic::run(start().await).await;
    });
}
