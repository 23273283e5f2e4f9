//! Peers that are known by the interface alone, against a leaf switch as metal-stack configures
//! it.

mod inside;
#[path = "../../tests/lab/mod.rs"]
mod lab;

use inside::{Inside, LEAF_ASN, PATIENCE, asn};
use lab::{ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig};
use metal_bgp::{PeerConfig, PeerState};

fn leaf() -> LeafConfig {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.unnumbered = true;
    config
}

fn peer(interface: &str) -> PeerConfig {
    PeerConfig::unnumbered(interface.parse().expect("a name"), asn(LEAF_ASN))
}

/// A laboratory whose links have link-local addresses only.
fn lab() -> Lab {
    Lab::new(&[leaf()])
}

#[test]
fn a_leaf_of_metal_stack_takes_both_routes_over_a_link_without_addresses() {
    let lab = lab();
    let leaf = &lab.leaves[0];
    let monitor = leaf.monitor();
    let speaker = Inside::start(&lab.node, peer("leaf0"));
    speaker.established();
    let at = speaker.announce();
    let v4 = monitor.added(ANYCAST_V4, at, PATIENCE);
    let v6 = monitor.added(ANYCAST_V6, at, PATIENCE);
    println!(
        "announce, unnumbered: IPv4 {} ms, IPv6 {} ms",
        v4.at.since(at).as_millis(),
        v6.at.since(at).as_millis()
    );
    for prefix in [ANYCAST_V4, ANYCAST_V6] {
        let routes = leaf.namespace.routes(prefix);
        assert!(
            routes.contains("fe80::") && routes.contains("dev up0"),
            "{routes}"
        );
    }
    let status = speaker.peer();
    assert_eq!(status.name, "leaf0");
    assert!(
        status
            .address
            .is_some_and(|a| a.to_string().starts_with("fe80::"))
    );
    assert_eq!(status.counters.updates_malformed, 0);
    speaker.0.withdraw();
    monitor.deleted(ANYCAST_V4, at, PATIENCE);
    monitor.deleted(ANYCAST_V6, at, PATIENCE);
    assert_eq!(speaker.peer().state, PeerState::Established);
}

#[test]
fn a_link_that_goes_down_ends_the_session_at_once_and_brings_it_back() {
    let lab = lab();
    let monitor = lab.leaves[0].monitor();
    let speaker = Inside::start(&lab.node, peer("leaf0"));
    speaker.established();
    let at = speaker.announce();
    monitor.added(ANYCAST_V4, at, PATIENCE);
    lab.node.ip(&["link", "set", "leaf0", "down"]);
    let error = speaker.error("down");
    assert_eq!(error, "the interface leaf0 is down");
    assert_ne!(speaker.peer().state, PeerState::Established);
    lab::eventually("the leaf forgets the path", PATIENCE, || {
        lab.leaves[0].path(ANYCAST_V4).is_null().then_some(())
    });
    let at = lab::now();
    lab.node.ip(&["link", "set", "leaf0", "up"]);
    speaker.established();
    let v4 = monitor.added(ANYCAST_V4, at, PATIENCE);
    println!("link up to route: {} ms", v4.at.since(at).as_millis());
}

#[test]
fn an_interface_that_does_not_exist_yet_is_named_and_used_once_it_does() {
    let lab = lab();
    let speaker = Inside::start(&lab.node, peer("later0"));
    let error = speaker.error("later0");
    assert_eq!(error, "this node has no interface later0");
    assert_eq!(speaker.peer().counters.connects, 0);
    for change in [&["down"][..], &["name", "later0"]] {
        let mut command = vec!["link", "set", "leaf0"];
        command.extend(change);
        lab.node.ip(&command);
    }
    let error = speaker.error("down");
    assert_eq!(error, "the interface later0 is down");
    lab.node.ip(&["link", "set", "later0", "up"]);
    speaker.established();
}

#[test]
fn several_interfaces_have_a_leaf_each_and_one_that_fails_does_not_touch_the_other() {
    let lab = Lab::new(&[leaf(), leaf()]);
    let speaker = Inside::start_all(&lab.node, vec![peer("leaf0"), peer("leaf1")]);
    let up = |index: usize| {
        lab::eventually("both sessions are established", PATIENCE, || {
            let state = speaker.0.status().peers[index].state;
            (state == PeerState::Established).then_some(())
        });
    };
    up(0);
    up(1);
    let monitor = lab.leaves[1].monitor();
    let at = speaker.announce();
    monitor.added(ANYCAST_V6, at, PATIENCE);
    lab.node.ip(&["link", "set", "leaf0", "down"]);
    speaker.error("down");
    let other = &speaker.0.status().peers[1];
    assert_eq!(other.state, PeerState::Established);
    assert_eq!(other.counters.flaps, 0);
    assert_eq!(monitor.losses(ANYCAST_V6, at), []);
}

#[test]
fn a_link_local_address_may_be_configured_with_its_interface() {
    let lab = lab();
    let address = lab.leaves[0]
        .namespace
        .ip(&["-6", "-o", "addr", "show", "dev", "up0"]);
    let address = address
        .split_whitespace()
        .find_map(|word| word.strip_suffix("/64"))
        .expect("up0 has a link-local address");
    let mut peer = peer("leaf0");
    peer.address = address.parse().ok();
    let speaker = Inside::start(&lab.node, peer);
    speaker.established();
    assert_eq!(speaker.peer().name, format!("{address}%leaf0"));
}

#[test]
fn without_the_capability_for_raw_sockets_the_sentence_names_it() {
    const CHILD: &str = "METAL_BGP_TEST_WITHOUT_RAW_SOCKETS";
    if std::env::var_os(CHILD).is_some() {
        let speaker = Inside::here(vec![peer("leaf0")]);
        println!("said: {}", speaker.error("leaf0"));
        return;
    }
    let lab = lab();
    let me = std::env::current_exe().expect("a test has a file");
    let name = "without_the_capability_for_raw_sockets_the_sentence_names_it";
    let mut child = lab.node.command("setpriv");
    child.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]);
    child.arg(me).args(["--exact", name, "--nocapture"]);
    let output = lab::run(child.env(CHILD, "1"));
    let sentence = "said: finding the peer on leaf0 needs CAP_NET_RAW, for router advertisements";
    assert!(output.contains(sentence), "{output}");
}
