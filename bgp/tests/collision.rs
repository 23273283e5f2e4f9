//! Both sides connect at the same time (RFC 4271 section 6.8): FRR, and this node.

mod inside;
#[path = "../../tests/lab/mod.rs"]
mod lab;

use inside::{Inside, LEAF_ASN, PATIENCE, config, peer, within};
use lab::{ANYCAST_V4, Lab, LeafConfig, Namespace, eventually};
use metal_bgp::PeerState;
use nix::sys::signal::Signal;

/// What keeps the leaf's connections out, and nothing else.
const RULE: &str = "pref 50 iif leaf0 ipproto tcp dport 179 blackhole";

#[test]
fn of_two_connections_made_at_once_one_stays_whoever_has_the_higher_router_id() {
    // The leaf's is 10.99.0.2.
    for router_id in ["10.0.0.1", "10.200.0.1"] {
        collide(router_id);
    }
}

fn rule(lab: &Lab, what: &str) {
    let words: Vec<&str> = RULE.split_whitespace().collect();
    lab.node.ip(&[&["rule", what], &words[..]].concat());
}

fn collide(router_id: &str) {
    let mut lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    // Local addresses are looked up after that rule.
    lab.node
        .ip(&["rule", "add", "pref", "100", "lookup", "local"]);
    lab.node.ip(&["rule", "del", "pref", "0"]);
    rule(&lab, "add");
    eventually("the leaf's connection gets no answer", PATIENCE, || {
        (lab.leaves[0].neighbor()["bgpState"] == "Connect").then_some(())
    });
    lab.leaves[0].signal_bgpd(Signal::SIGSTOP);
    let mut config = config(vec![peer(Lab::leaf_v4(0))]);
    config.router_id = router_id.parse().expect("an address");
    config.listen = vec![(Lab::node_v4(0), 179).into()];
    let speaker = within(&lab.node, || Inside::with(config));
    speaker.announce();
    // The kernels make both connections, and the leaf has seen neither.
    speaker.wait("ours is there", |peer| peer.state == PeerState::OpenSent);
    rule(&lab, "del");
    speaker.wait("the leaf's is there", |peer| peer.counters.accepts == 1);
    lab.leaves[0].signal_bgpd(Signal::SIGCONT);
    // Where one side is established before the other has seen both OPENs, each may give up
    // another connection; then they connect once more.
    let leaf = &lab.leaves[0];
    eventually("one connection is left, with the route", PATIENCE, || {
        let up = speaker.peer().state == PeerState::Established;
        let known = !leaf.path(ANYCAST_V4).is_null();
        (up && known && connections(&lab.node) == 1).then_some(())
    });
    println!("router id {router_id}: {:?}", speaker.peer().counters);
}

/// Established BGP connections of a namespace.
fn connections(namespace: &Namespace) -> usize {
    let words = [
        "-Htn",
        "state",
        "established",
        "( sport = :179 or dport = :179 )",
    ];
    let text = lab::run(namespace.command("ss").args(words));
    text.lines().count()
}
