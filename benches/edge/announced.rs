use std::path::Path;

use super::{
    edge_node::EdgeNode,
    lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig},
    options::Options,
    report::median,
};

/// The AS of the leaf.
pub const LEAF_ASN: u32 = 4_210_000_001;
/// How long one start may take.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// From the start of the process to the routes of both families in the kernel
/// table of a leaf switch (FRR in a network namespace).
pub fn measure(options: &Options) {
    if !nix::unistd::geteuid().is_root() || !Path::new("/usr/lib/frr/bgpd").exists() {
        println!("start to announced: skipped, needs root and FRR");
        return;
    }
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let monitor = lab.leaves[0].monitor();
    let mut node = EdgeNode::prepare(&lab, &[]);
    let mut times = Vec::new();
    for _ in 0..options.rounds.max(5) {
        let began = lab::now();
        node.start(&lab);
        let v4 = monitor.added(ANYCAST_V4, began, PATIENCE).at;
        let v6 = monitor.added(ANYCAST_V6, began, PATIENCE).at;
        times.push(v4.max(v6).since(began).as_secs_f64() * 1e3);
        let end = lab::now();
        node.kill();
        monitor.deleted(ANYCAST_V4, end, PATIENCE);
        monitor.deleted(ANYCAST_V6, end, PATIENCE);
    }
    println!(
        "start to announced in the leaf's kernel table, median of {}: {:.0} ms",
        times.len(),
        median(times)
    );
}
