//! What `metal-edge bgp` shows of the sessions.

use serde_json::Value;

use super::edge_node::NODE_ASN;
use super::lab::{ANYCAST_V4, Lab, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced};

#[test]
fn bgp_peers_routes_and_log_show_what_the_leaf_was_told_and_why_it_left() {
    let _alone = alone();
    let settings = [
        ("bgp", "med = 42"),
        ("bgp", "large-communities = [\"4200000001:7:7\"]"),
    ];
    let (mut lab, node, _monitor) = announced(&settings);
    let json = |arguments: &[&str]| -> Value {
        let (code, text) = node.cli(&lab, &[arguments, &["-o", "json"]].concat());
        assert_eq!(code, Some(0), "{text}");
        serde_json::from_str(&text).expect("JSON")
    };
    let leaf = Lab::leaf_v4(0).to_string();
    let peers = json(&["bgp", "peers"]);
    assert_eq!(peers[0]["name"], leaf.as_str());
    assert_eq!(peers[0]["as"], LEAF_ASN.to_string());
    assert_eq!(peers[0]["state"], "Established");
    assert_eq!(peers[0]["prefixes"], 2);

    let routes = json(&["bgp", "routes"]);
    let routes = routes.as_array().expect("a list");
    let v4 = routes.iter().find(|route| route["prefix"] == ANYCAST_V4);
    let v4 = v4.expect("it was told");
    assert_eq!(v4["peer"], leaf.as_str());
    assert_eq!(v4["next_hop"], Lab::node_v4(0).to_string());
    assert_eq!(v4["as_path"], NODE_ASN.to_string());
    assert_eq!(v4["med"], 42);
    assert_eq!(v4["communities"][0], "4200000001:7:7");
    let seen = lab.leaves[0].path(ANYCAST_V4);
    assert_eq!(seen["metric"], 42);
    assert_eq!(seen["largeCommunity"]["string"], "4200000001:7:7");

    let (_, log) = node.cli(&lab, &["bgp", "log"]);
    assert!(log.contains(&format!("{leaf} Established")), "{log}");
    assert!(
        log.contains("announced 192.0.2.1/32 via 10.99.0.1, MED 42"),
        "{log}"
    );

    drop(lab.leaves.remove(0));
    let text = eventually("the loss is in the log", PATIENCE, || {
        let (_, log) = node.cli(&lab, &["bgp", "log"]);
        log.contains("lost: ").then_some(log)
    });
    assert!(text.contains(&leaf), "{text}");
    let (_, text) = node.cli(&lab, &["bgp", "peers"]);
    assert!(!text.contains("Established"), "{text}");
    let (_, text) = node.cli(&lab, &["bgp", "routes", "-o", "json"]);
    assert_eq!(text.trim(), "[]", "nobody is told anything any more");
}
