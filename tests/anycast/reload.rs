//! Another configuration without a restart, and without a session reset.

use std::fs;

use nix::sys::signal::{Signal, kill};

use super::edge_node::EdgeNode;
use super::lab::{self, ANYCAST_V4, ANYCAST_V6, eventually};
use super::{PATIENCE, alone, announced};

/// Replaces in the node's configuration, and tells the node.
pub fn change(node: &EdgeNode, from: &str, to: &str) {
    let text = fs::read_to_string(node.config()).expect("there");
    assert!(text.contains(from), "{text}");
    fs::write(node.config(), text.replace(from, to)).expect("written");
    kill(node.guard_pid(), Signal::SIGHUP).expect("it runs");
}

#[test]
fn sighup_changes_attributes_and_prefixes_and_keeps_the_session() {
    let _alone = alone();
    let (lab, node, monitor) = announced(&[("bgp", "med = 10")]);
    let leaf = &lab.leaves[0];
    let established = || leaf.neighbor()["connectionsEstablished"].clone();
    assert_eq!(leaf.path(ANYCAST_V4)["metric"], 10);
    let before = established();

    change(&node, "med = 10", "med = 20\nprepend = 1");
    eventually("the new MED is seen", PATIENCE, || {
        (leaf.path(ANYCAST_V4)["metric"] == 20).then_some(())
    });

    let at = lab::now();
    change(
        &node,
        "\"192.0.2.1/32\", \"2001:db8::1/128\"",
        "\"192.0.2.1/32\"",
    );
    monitor.deleted(ANYCAST_V6, at, PATIENCE);
    assert!(monitor.losses(ANYCAST_V4, at).is_empty());

    change(&node, "med = 20", "med = \"dear\"");
    eventually("a wrong configuration is refused", PATIENCE, || {
        node.log()
            .contains("the configuration stays as it was")
            .then_some(())
    });
    change(&node, "med = \"dear\"", "med = 30");
    eventually("a right one is taken after that", PATIENCE, || {
        (leaf.path(ANYCAST_V4)["metric"] == 30).then_some(())
    });

    change(
        &node,
        "admin = \"127.0.0.1:8081\"",
        "admin = \"127.0.0.1:8082\"",
    );
    eventually("what takes a restart is named", PATIENCE, || {
        node.log().contains("keys=\"listen.admin\"").then_some(())
    });
    assert_eq!(established(), before, "{}", node.log());
    assert!(monitor.losses(ANYCAST_V4, at).is_empty());
}
