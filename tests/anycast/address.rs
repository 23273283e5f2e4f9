//! The node puts its addresses on `lo` itself, and takes away only what it put.

use super::lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, RouteMonitor, eventually};
use super::{LEAF_ASN, PATIENCE, alone, announced_in, measured};

const MANAGED: (&str, &str) = ("bgp", "manage-addresses = true");
const QUICK: (&str, &str) = ("drain", "graceful-shutdown = \"300ms\"");

/// Whether the address is on the node's `lo`.
fn on_lo(lab: &Lab, address: &str) -> bool {
    let bare = address.split('/').next().expect("a word");
    let text = lab.node.ip(&["-o", "addr", "show", "dev", "lo"]);
    text.split_whitespace()
        .any(|word| word.split('/').next() == Some(bare))
}

fn bare_lab() -> Lab {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    lab.node.ip(&["addr", "del", ANYCAST_V4, "dev", "lo"]);
    lab.node.ip(&["addr", "del", ANYCAST_V6, "dev", "lo"]);
    lab
}

#[test]
fn the_node_puts_its_addresses_on_lo_and_removes_them_only_after_the_withdrawal() {
    let _alone = alone();
    let (lab, mut node, monitor) = announced_in(bare_lab(), &[MANAGED, QUICK]);
    assert!(on_lo(&lab, ANYCAST_V4) && on_lo(&lab, ANYCAST_V6));

    let at = lab::now();
    lab.node.ip(&["addr", "del", ANYCAST_V4, "dev", "lo"]);
    eventually("it is put there again", PATIENCE, || {
        on_lo(&lab, ANYCAST_V4).then_some(())
    });
    monitor.added(ANYCAST_V4, at, PATIENCE);
    assert!(node.log().contains("put on lo"));

    let own = RouteMonitor::start(&lab.node);
    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain"]);
    assert_eq!(code, Some(0), "{text}");
    let withdrawn = measured::gone(&monitor, "drain with managed addresses", at);
    let removed = own.deleted(ANYCAST_V4, at, PATIENCE).at;
    let removed = removed.min(own.deleted(ANYCAST_V6, at, PATIENCE).at);
    assert!(removed > withdrawn, "first withdrawn, then removed");
    assert!(!on_lo(&lab, ANYCAST_V4) && !on_lo(&lab, ANYCAST_V6));

    let at = lab::now();
    let (code, text) = node.cli(&lab, &["drain", "--undo"]);
    assert_eq!(code, Some(0), "{text}");
    measured::back(&monitor, "drain --undo with managed addresses", at);

    node.terminate();
    assert_eq!(node.wait(), Some(0));
    assert!(!on_lo(&lab, ANYCAST_V4) && !on_lo(&lab, ANYCAST_V6));
}

#[test]
fn what_an_operator_put_on_lo_stays_and_what_a_killed_node_left_is_removed_later() {
    let _alone = alone();
    let lab = bare_lab();
    lab.node
        .ip(&["addr", "add", ANYCAST_V6, "dev", "lo", "nodad"]);
    let (lab, mut node, monitor) = announced_in(lab, &[MANAGED, QUICK]);
    node.kill();
    assert!(on_lo(&lab, ANYCAST_V4), "nobody was there to remove it");

    let at = lab::now();
    node.start(&lab);
    measured::back(&monitor, "start after kill -9", at);
    node.terminate();
    assert_eq!(node.wait(), Some(0));
    assert!(!on_lo(&lab, ANYCAST_V4), "the node put it there");
    assert!(on_lo(&lab, ANYCAST_V6), "the operator put it there");
}

#[test]
fn without_the_capability_the_log_says_what_is_missing_and_nothing_is_announced() {
    let _alone = alone();
    let lab = bare_lab();
    let monitor = lab.leaves[0].monitor();
    let mut node = super::EdgeNode::prepare(&lab, &[MANAGED]);
    let began = lab::now();
    node.start_without(&lab, "cap_net_admin");
    eventually("it says what is missing", PATIENCE, || {
        node.log()
            .contains("give the process CAP_NET_ADMIN")
            .then_some(())
    });
    let why = eventually("it has judged itself", PATIENCE, || {
        let status = node.status(&lab)?;
        let why = status["verdict"]["why"].as_str()?.to_owned();
        why.contains("is on no interface").then_some(why)
    });
    assert!(why.contains("192.0.2.1"), "{why}");
    assert!(monitor.events(ANYCAST_V4, began).is_empty());
}
