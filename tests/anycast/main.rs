//! The whole product against a real leaf switch: FRR in a network namespace
//! learns the anycast address, clients behind it use it, and the route is gone
//! from its kernel table when the node is not fit to serve.
//!
//! Needs root, `ip` and FRR. Every test prints what it measured.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod address;
mod bmp;
mod clients;
mod daemon;
mod departure;
mod disk;
mod edge_node;
mod faults;
mod forwarding;
mod inside;
mod listen;
mod measured;
mod reload;
mod sessions;
mod stall;
mod unnumbered;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edge_node::EdgeNode;
use lab::{Lab, LeafConfig, RouteMonitor};

/// Long enough for a busy machine, short enough to notice a hang.
const PATIENCE: Duration = Duration::from_secs(30);
/// A private four-byte AS, as metal-stack's leaf switches have them.
const LEAF_ASN: u32 = 4_210_000_001;

/// One laboratory at a time: two cores are too few for figures of two at once.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A leaf that has both routes of a healthy node, and the reader of its table.
fn announced(settings: &[(&str, &str)]) -> (Lab, EdgeNode, RouteMonitor) {
    announced_in(Lab::new(&[LeafConfig::new(LEAF_ASN)]), settings)
}

/// The same in a laboratory that was prepared.
fn announced_in(lab: Lab, settings: &[(&str, &str)]) -> (Lab, EdgeNode, RouteMonitor) {
    let monitor = lab.leaves[0].monitor();
    let mut node = EdgeNode::prepare(&lab, settings);
    let began = lab::now();
    node.start(&lab);
    let v4 = monitor.added(lab::ANYCAST_V4, began, PATIENCE);
    let v6 = monitor.added(lab::ANYCAST_V6, began, PATIENCE);
    measured::report(
        "start of the process, until announced",
        began,
        v4.at.max(v6.at),
    );
    (lab, node, monitor)
}
