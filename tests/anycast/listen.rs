//! A leaf switch that connects to the node.

use super::edge_node::{EdgeNode, NODE_ASN};
use super::lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced};

const LISTEN: (&str, &str) = ("bgp", "listen = [\"10.99.0.1:179\"]");
const PASSIVE: (&str, &str) = ("bgp.peer", "passive = true");

fn metrics(lab: &Lab) -> String {
    let arguments = ["-s", "http://127.0.0.1:8081/metrics"];
    lab::run(lab.node.command("curl").args(arguments))
}

#[test]
fn a_peer_that_is_waited_for_connects_and_learns_the_routes_and_nobody_else_is_let_in() {
    let _alone = alone();
    let (lab, node, _monitor) = announced(&[LISTEN, PASSIVE]);
    let connects = "bgp_peer_connects_total{peer=\"10.99.0.2\"} 0\n";
    assert!(metrics(&lab).contains(connects), "{}", metrics(&lab));
    let path = lab.leaves[0].path(ANYCAST_V4);
    assert_eq!(path["aspath"]["string"], NODE_ASN.to_string());
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(0), "{text}");
    let held = "10.99.0.1:179 is held by the running node";
    assert!(text.contains(held), "{text}");

    let stranger = [
        "-s",
        "--max-time",
        "10",
        "--interface",
        "10.99.0.1",
        "telnet://10.99.0.1:179",
    ];
    let output = lab
        .node
        .command("curl")
        .args(stranger)
        .output()
        .expect("curl runs");
    assert_eq!(
        output.stdout, b"",
        "not a byte for an address that is no peer's"
    );
    let (_, text) = node.cli(&lab, &["status"]);
    assert!(text.contains("Established"), "{text}");
}

#[test]
fn check_says_that_a_peer_is_waited_for_and_whether_the_address_is_free() {
    let _alone = alone();
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let node = EdgeNode::prepare(&lab, &[LISTEN, PASSIVE]);
    let (_, text) = node.cli(&lab, &["check"]);
    assert!(text.contains("10.99.0.1:179 is free"), "{text}");
    let waited = "10.99.0.2 is not tried: it is waited for (passive)";
    assert!(text.contains(waited), "{text}");
}

#[test]
fn a_node_that_listens_after_a_reload_and_connects_as_well_keeps_one_session_with_its_routes() {
    let _alone = alone();
    let (lab, node, monitor) = announced(&[("bgp", "med = 10")]);
    let leaf = &lab.leaves[0];
    let at = lab::now();
    super::reload::change(&node, "med = 10", LISTEN.1);
    eventually("it listens", PATIENCE, || {
        let listening = node.status(&lab)?["listening"][0].clone();
        (listening == "10.99.0.1:179").then_some(())
    });
    assert!(monitor.losses(ANYCAST_V4, at).is_empty());
    // Both sides connect, again and again at the same time.
    for _ in 0..10 {
        leaf.vtysh("clear bgp *");
    }
    eventually("calm", PATIENCE, || {
        let known = |prefix| !leaf.path(prefix).is_null();
        let up = leaf.neighbor()["bgpState"] == "Established";
        (up && known(ANYCAST_V4) && known(ANYCAST_V6)).then_some(())
    });
    let (code, text) = node.cli(&lab, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Established"), "{text}");
}
