//! A leaf switch that does not send here what it was told.

use super::edge_node::{EdgeNode, NODE_ASN};
use super::lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced};

/// What the node says of its only leaf.
fn forwarding(node: &EdgeNode, lab: &Lab) -> Option<serde_json::Value> {
    let status = node.status(lab)?;
    Some(status["peers"][0]["forwarding"].clone())
}

#[test]
fn a_prefix_that_the_leaf_filters_is_named_with_cause_and_fix_until_it_is_permitted() {
    let _alone = alone();
    let (lab, node, _monitor) = announced(&[]);
    eventually("both come back", PATIENCE, || {
        (forwarding(&node, &lab)?["verified"].as_array()?.len() == 2).then_some(())
    });
    let leaf = Lab::leaf_v4(0);
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(0), "{text}");
    let sends = format!("{leaf} sends {ANYCAST_V4} {ANYCAST_V6} here");
    assert!(text.contains(&sends), "{text}");

    let router = format!("router bgp {LEAF_ASN}");
    let applied = format!("neighbor {} route-map NODES in", Lab::node_v4(0));
    let of = "address-family ipv4 unicast";
    lab.leaves[0].bgp(&["route-map NODES deny 10", "exit", &router, of, &applied]);
    eventually("one is missing", PATIENCE, || {
        (forwarding(&node, &lab)?["missing"][0] == ANYCAST_V4).then_some(())
    });
    let sentence = format!(
        "{leaf}: the leaf does not send 192.0.2.1/32 here: its import policy refuses it, or it \
         prefers another path; permit the prefix for this neighbor (FRR: route-map or \
         prefix-list in)\n"
    );
    let (code, text) = node.cli(&lab, &["status"]);
    assert_eq!(code, Some(0), "the node is as fit as before: {text}");
    assert!(
        text.contains(&format!("notice        {sentence}")),
        "{text}"
    );
    assert!(text.contains("verdict       healthy"), "{text}");
    let announcement = format!("announcement  announced {ANYCAST_V4} {ANYCAST_V6}");
    assert!(text.contains(&announcement), "{text}");
    let (_, text) = node.cli(&lab, &["bgp", "peers"]);
    assert!(text.contains(&sentence), "{text}");
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(0), "{text}");
    let missing = format!("warn  {leaf} does not send {ANYCAST_V4} here");
    assert!(text.contains(&missing), "{text}");
    let metric = |count| format!("bgp_peer_prefixes_not_forwarded{{peer=\"{leaf}\"}} {count}\n");
    let metrics = || {
        let arguments = ["-s", "http://127.0.0.1:8081/metrics"];
        lab::run(lab.node.command("curl").args(arguments))
    };
    assert!(metrics().contains(&metric(1)), "{}", metrics());

    lab.leaves[0].bgp(&["no route-map NODES deny 10", "route-map NODES permit 20"]);
    eventually("the notice goes", PATIENCE, || {
        let (_, text) = node.cli(&lab, &["status"]);
        (!text.contains("notice")).then_some(())
    });
    assert!(metrics().contains(&metric(0)), "{}", metrics());
    let (_, log) = node.cli(&lab, &["bgp", "log"]);
    for event in [
        "does not send 192.0.2.1/32 here",
        "sends every announced prefix here again",
    ] {
        assert!(log.contains(&format!("{leaf} {event}\n")), "{log}");
    }
}

#[test]
fn without_the_capability_check_says_that_it_is_not_looked_at_and_the_node_serves() {
    let _alone = alone();
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let monitor = lab.leaves[0].monitor();
    let mut node = EdgeNode::prepare(&lab, &[]);
    let began = lab::now();
    node.start_without(&lab, "cap_net_raw");
    monitor.added(ANYCAST_V4, began, PATIENCE);
    monitor.added(ANYCAST_V6, began, PATIENCE);
    eventually("it says why", PATIENCE, || {
        forwarding(&node, &lab)?["unverified"].as_str().map(drop)
    });
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(0), "{text}");
    let leaf = Lab::leaf_v4(0);
    let why = format!("note: whether {leaf} sends the prefixes here is not looked at: it needs");
    assert!(text.contains(&format!("{why} CAP_NET_RAW")), "{text}");
    let (code, text) = node.cli(&lab, &["status"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("notice"), "{text}");
    assert_eq!(
        lab.leaves[0].path(ANYCAST_V4)["aspath"]["string"],
        NODE_ASN.to_string()
    );
}
