//! A leaf switch that knows the node by its port alone, and watches it with BFD.

use nix::sys::signal::{Signal, kill};

use super::lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig};
use super::{LEAF_ASN, PATIENCE, alone, announced_in, measured};

#[test]
fn a_node_without_addresses_on_its_uplink_is_announced_and_found_dead_by_bfd() {
    let _alone = alone();
    let mut leaf = LeafConfig::new(LEAF_ASN);
    leaf.unnumbered = true;
    leaf.bfd = true;
    leaf.extra = vec!["neighbor MACHINE bfd profile lab".to_owned()];
    let lab = Lab::new(&[leaf]);
    let bfd = ("bgp.peer", "bfd-interval = \"100ms\"");
    let (lab, node, monitor) = announced_in(lab, &[bfd]);
    let (code, text) = node.cli(&lab, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("leaf0"), "{text}");
    let (_, text) = node.cli(&lab, &["check"]);
    assert!(text.contains("the interface leaf0 is there"), "{text}");

    lab::eventually("the leaf's BFD session is up", PATIENCE, || {
        let neighbor = lab.leaves[0].neighbor();
        (neighbor["peerBfdInfo"]["status"] == "Up").then_some(())
    });
    let metrics = ["-s", "http://127.0.0.1:8081/metrics"];
    let metrics = lab::run(lab.node.command("curl").args(metrics));
    let up = "metal_edge_bfd_peer_up{peer=\"leaf0\"} 1";
    assert!(metrics.contains(up), "{metrics}");
    let at = lab::now();
    let serving = node.serving_pid();
    kill(serving, Signal::SIGSTOP).expect("it runs");
    let v4 = monitor.deleted(ANYCAST_V4, at, PATIENCE);
    let v6 = monitor.deleted(ANYCAST_V6, at, PATIENCE);
    measured::report("process hangs, BFD 100 ms x 3, IPv4", at, v4.at);
    measured::report("process hangs, BFD 100 ms x 3, IPv6", at, v6.at);
}
