//! What protects a session from strangers, against a real leaf switch: MD5 signatures, TTL
//! security, hops, source address and interface.

mod inside;
#[path = "../../tests/lab/mod.rs"]
mod lab;

use std::time::Duration;

use inside::{Inside, LEAF_ASN, PATIENCE, peer};
use lab::{ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, Namespace};
use metal_bgp::{Md5Key, PeerConfig, Ttl};

fn leaf(lines: &[&str]) -> Lab {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.extra = lines.iter().map(|line| (*line).to_owned()).collect();
    Lab::new(&[config])
}

fn with(change: impl FnOnce(&mut PeerConfig)) -> PeerConfig {
    let mut peer = peer(Lab::leaf_v4(0));
    peer.connect_timeout = Duration::from_millis(1500);
    change(&mut peer);
    peer
}

fn key(text: &str) -> Option<Md5Key> {
    Some(Md5Key::new(text.as_bytes()).expect("a key"))
}

#[test]
fn the_right_md5_key_brings_the_session_up_and_a_wrong_one_is_named_as_a_cause() {
    let lab = leaf(&["neighbor 10.99.0.1 password s3cret"]);
    for wrong in [key("other"), None] {
        let without = wrong.is_none();
        let speaker = Inside::start(&lab.node, with(|peer| peer.md5_key = wrong));
        let error = speaker.error("MD5");
        let cause = match without {
            false => {
                "the peer has another MD5 key or none, the address is wrong, the link is down, or \
                 a filter drops TCP"
            }
            true => {
                "the address is wrong, the link is down, a filter drops TCP, or the peer demands \
                 an MD5 key"
            }
        };
        let sentence = format!("no answer from 10.99.0.2 port 179 within 1.5s: {cause}");
        assert_eq!(error, sentence);
        assert_eq!(speaker.peer().counters.established, 0);
    }
    let speaker = Inside::start(&lab.node, with(|peer| peer.md5_key = key("s3cret")));
    speaker.established();
    let monitor = lab.leaves[0].monitor();
    let at = speaker.announce();
    monitor.added(ANYCAST_V4, at, PATIENCE);
    let shown = format!("{:?}", speaker.0.status());
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn an_md5_key_works_over_ipv6_too() {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.over_v6 = true;
    config.extra = vec!["neighbor 2001:db8:99::1 password s3cret".to_owned()];
    let lab = Lab::new(&[config]);
    let mut peer = peer(Lab::leaf_v6(0));
    peer.md5_key = key("s3cret");
    Inside::start(&lab.node, peer).established();
}

#[test]
fn ttl_security_on_both_sides_brings_the_session_up() {
    let lab = leaf(&["neighbor 10.99.0.1 ttl-security hops 1"]);
    let speaker = Inside::start(&lab.node, with(|peer| peer.ttl = Ttl::Security { hops: 1 }));
    speaker.established();
    let monitor = lab.leaves[0].monitor();
    let at = speaker.announce();
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
}

#[test]
fn a_peer_with_ttl_security_does_not_keep_a_session_with_us_without() {
    let lab = leaf(&["neighbor 10.99.0.1 ttl-security hops 1"]);
    let speaker = Inside::start(
        &lab.node,
        with(|peer| peer.hold_time = Duration::from_secs(3)),
    );
    speaker.announce();
    // FRR begins to check after it has accepted the connection: what we sent until then counts,
    // and nothing after that. Either side may give up first.
    let error = speaker.error("TTL security");
    let causes = [
        "nothing was heard from the peer for the hold time of 3 s, nor was anything acknowledged \
         since the session began; a likely cause is TTL security on one side only: set \
         ttl-security here too, or remove it on the peer",
        "the peer closed the session with Hold Timer Expired 4/0 (Hold Timer Expired): it heard \
         nothing from this node for the hold time: the link loses packets, this node was too \
         busy, or the peer has TTL security and this node has not",
    ];
    assert!(causes.contains(&&*error), "{error}");
}

#[test]
fn with_ttl_security_a_peer_without_is_not_heard() {
    let lab = leaf(&[]);
    let speaker = Inside::start(&lab.node, with(|peer| peer.ttl = Ttl::Security { hops: 1 }));
    // Either side may give up first.
    let error = speaker.error("TTL");
    let cause = "OPEN: this node ignores what it sends unless it has TTL security as well";
    assert!(error.ends_with(cause), "{error}");
    assert_eq!(speaker.peer().counters.established, 0);
}

/// A node one router away from the leaf: the laboratory's node is that router.
struct Far {
    namespace: Namespace,
    lab: Lab,
}

impl Far {
    fn new(lines: &[&str]) -> Self {
        let mut all = vec!["neighbor 10.98.0.2 remote-as external"];
        all.extend(lines);
        all.extend([
            "address-family ipv4 unicast",
            "neighbor 10.98.0.2 activate",
            "exit-address-family",
        ]);
        let lab = leaf(&all);
        let namespace = Namespace::new(&format!("{}f", lab.node.name()));
        let router = lab.node.name();
        namespace.ip(&[
            "link", "add", "up0", "type", "veth", "peer", "name", "far0", "netns", router,
        ]);
        namespace.ip(&["addr", "add", "10.98.0.2/30", "dev", "up0"]);
        namespace.ip(&["addr", "add", "10.98.0.9/32", "dev", "up0"]);
        namespace.ip(&["link", "set", "up0", "up"]);
        lab.node.ip(&["addr", "add", "10.98.0.1/30", "dev", "far0"]);
        lab.node.ip(&["link", "set", "far0", "up"]);
        lab.node
            .ip(&["route", "add", "10.98.0.9/32", "dev", "far0"]);
        namespace.ip(&["route", "add", "default", "via", "10.98.0.1"]);
        let leaf = &lab.leaves[0].namespace;
        leaf.ip(&["route", "add", "10.98.0.0/24", "via", "10.99.0.1"]);
        Self { namespace, lab }
    }
}

#[test]
fn a_peer_behind_a_router_needs_multihop_and_the_sentence_says_so() {
    let far = Far::new(&["neighbor 10.98.0.2 ebgp-multihop 2"]);
    let speaker = Inside::start(&far.namespace, with(|_| ()));
    let error = speaker.error("10.99.0.2");
    assert_eq!(
        error,
        "10.99.0.2 cannot be reached: no neighbour answers on the link, or it is behind a router \
         and needs multihop (No route to host (os error 113))"
    );
    drop(speaker);
    let speaker = Inside::start(&far.namespace, with(|peer| peer.ttl = Ttl::Multihop(2)));
    speaker.established();
}

#[test]
fn the_source_address_is_the_one_that_is_configured() {
    let far = Far::new(&[
        "neighbor 10.98.0.9 remote-as external",
        "neighbor 10.98.0.9 ebgp-multihop 2",
        "address-family ipv4 unicast",
        "neighbor 10.98.0.9 activate",
        "exit-address-family",
    ]);
    let speaker = Inside::start(
        &far.namespace,
        with(|peer| {
            peer.ttl = Ttl::Multihop(2);
            peer.source = Some([10, 98, 0, 9].into());
        }),
    );
    speaker.established();
    assert_eq!(speaker.peer().local_address, Some([10, 98, 0, 9].into()));
    let monitor = far.lab.leaves[0].monitor();
    let at = speaker.announce();
    monitor.added(ANYCAST_V4, at, PATIENCE);

    let wrong = with(|peer| peer.source = Some([10, 98, 0, 77].into()));
    let speaker = Inside::start(&far.namespace, wrong);
    assert_eq!(
        speaker.error("source"),
        "source 10.98.0.77 is no address of this node: correct source, or give the address to an \
         interface"
    );
}

#[test]
fn ttl_security_over_a_router_needs_one_hop_more() {
    let far = Far::new(&["neighbor 10.98.0.2 ttl-security hops 2"]);
    let near = with(|peer| peer.ttl = Ttl::Security { hops: 1 });
    let speaker = Inside::start(&far.namespace, near);
    speaker.error("too far away");
    drop(speaker);
    let right = with(|peer| peer.ttl = Ttl::Security { hops: 2 });
    Inside::start(&far.namespace, right).established();
}

#[test]
fn a_bound_interface_wins_over_the_routes_and_a_missing_one_is_named() {
    let lab = leaf(&[]);
    let bound = |name: &str| {
        with(|peer| peer.interface = Some(name.parse().expect("the name of an interface")))
    };
    Inside::start(&lab.node, bound("leaf0")).established();
    let speaker = Inside::start(&lab.node, bound("eth7"));
    assert_eq!(speaker.error("eth7"), "this node has no interface eth7");
    let speaker = Inside::start(&lab.node, bound("lo"));
    speaker.error("10.99.0.2");
}
