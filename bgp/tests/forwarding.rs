//! Whether the leaf sends here what it was told: its import policies, and other nodes beside this
//! one.

mod inside;
#[path = "../../tests/lab/mod.rs"]
mod lab;

use inside::{Inside, LEAF_ASN, PATIENCE, asn, config, peer, within};
use lab::{ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, Namespace, eventually};
use metal_bgp::{ForwardingStatus, PeerConfig, PeerState, Ttl};

const BOTH: [&str; 2] = [ANYCAST_V4, ANYCAST_V6];

/// A speaker in `namespace` that asks its peer's forwarding, and announces.
fn verifying(namespace: &Namespace, router_id: &str, peer: PeerConfig) -> Inside {
    let mut config = config(vec![peer]);
    config.router_id = router_id.parse().expect("an address");
    config.verify_forwarding = true;
    let speaker = within(namespace, || Inside::with(config));
    speaker.established();
    speaker.announce();
    speaker
}

/// Waits until these prefixes are missing, and those came back.
fn wait(speaker: &Inside, missing: &[&str], verified: &[&str]) -> ForwardingStatus {
    let are = |shown: &[ipnet::IpNet], wanted: &[&str]| {
        shown
            .iter()
            .map(ToString::to_string)
            .eq(wanted.iter().copied())
    };
    let what = format!("missing {missing:?}, verified {verified:?}");
    let peer = speaker.wait(&what, |peer| {
        let shown = peer.forwarding.as_ref();
        shown.is_some_and(|it| are(&it.missing, missing) && are(&it.verified, verified))
    });
    peer.forwarding.expect("it was there")
}

/// What a leaf with a filter shows, and what it shows without.
fn filtered(lab: &Lab, speaker: &Inside, family: &str, neighbor: &str) {
    let leaf = &lab.leaves[0];
    let (refused, other) = match family {
        "ipv4" => (ANYCAST_V4, ANYCAST_V6),
        _ => (ANYCAST_V6, ANYCAST_V4),
    };
    wait(speaker, &[], &BOTH);
    let router = format!("router bgp {LEAF_ASN}");
    let of = format!("address-family {family} unicast");
    let applied = format!("neighbor {neighbor} route-map NODES in");
    leaf.bgp(&["route-map NODES deny 10", "exit", &router, &of, &applied]);
    let status = wait(speaker, &[refused], &[other]);
    let notice = status.notice().expect("a prefix is missing");
    let begin = format!("the leaf does not send {refused} here: its import policy refuses it");
    assert!(notice.starts_with(&begin), "{notice}");
    let peer = speaker.peer();
    assert_eq!(peer.state, PeerState::Established, "a notice, nothing more");
    assert_eq!(peer.announced.len(), 2);
    leaf.bgp(&["no route-map NODES deny 10", "route-map NODES permit 20"]);
    let status = wait(speaker, &[], &BOTH);
    assert_eq!(status.notice(), None);
    assert_eq!(speaker.peer().counters.flaps, 0);
}

#[test]
fn a_family_that_frr_filters_is_named_until_it_is_permitted() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let speaker = verifying(&lab.node, "10.0.0.1", peer(Lab::leaf_v4(0)));
    filtered(&lab, &speaker, "ipv4", &Lab::node_v4(0).to_string());
}

#[test]
fn a_family_that_frr_filters_over_ipv6_is_named_until_it_is_permitted() {
    let mut leaf = LeafConfig::new(LEAF_ASN);
    leaf.over_v6 = true;
    let lab = Lab::new(&[leaf]);
    let speaker = verifying(&lab.node, "10.0.0.1", peer(Lab::leaf_v6(0)));
    filtered(&lab, &speaker, "ipv6", &Lab::node_v6(0).to_string());
}

#[test]
fn what_an_unnumbered_frr_filters_is_named_until_it_is_permitted() {
    let mut leaf = LeafConfig::new(LEAF_ASN);
    leaf.unnumbered = true;
    for family in ["ipv4", "ipv6"] {
        let lab = Lab::new(std::slice::from_ref(&leaf));
        let interface = "leaf0".parse().expect("a name");
        let peer = PeerConfig::unnumbered(interface, asn(LEAF_ASN));
        let speaker = verifying(&lab.node, "10.0.0.1", peer);
        filtered(&lab, &speaker, family, "MACHINE");
    }
}

#[test]
fn a_prefix_list_that_refuses_everything_is_named_with_how_much_it_refuses() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    let router = format!("router bgp {LEAF_ASN}");
    let node = Lab::node_v4(0);
    let applied = format!("neighbor {node} prefix-list NONE in");
    let v4 = ["address-family ipv4 unicast", &applied, "exit"];
    let v6 = ["address-family ipv6 unicast", &applied, "exit"];
    leaf.bgp(&[
        "ip prefix-list NONE deny any",
        "ipv6 prefix-list NONE deny any",
    ]);
    leaf.bgp(&[&[router.as_str()], &v4[..], &v6[..]].concat());
    let speaker = verifying(&lab.node, "10.0.0.1", peer(Lab::leaf_v4(0)));
    let status = wait(&speaker, &BOTH, &[]);
    let notice = status.notice().expect("a prefix is missing");
    assert!(
        notice.contains("192.0.2.1/32 (and 1 more) here"),
        "{notice}"
    );
    speaker.0.withdraw();
    wait(&speaker, &[], &[]);
}

#[test]
fn two_nodes_that_share_the_flows_of_one_leaf_are_both_found() {
    share("1");
}

#[test]
fn two_nodes_are_both_found_by_a_leaf_that_looks_at_addresses_alone() {
    share("0");
}

/// `policy` is how the leaf's kernel tells flows apart: by addresses (0), by ports as well (1).
fn share(policy: &str) {
    let mut leaf = LeafConfig::new(LEAF_ASN);
    leaf.extra = [
        "neighbor 10.98.0.1 remote-as external",
        "neighbor 10.98.0.1 timers 2 8",
    ]
    .map(str::to_owned)
    .to_vec();
    let lab = Lab::new(&[leaf]);
    let leaf = &lab.leaves[0];
    let second = beside(&lab);
    for family in ["ipv4", "ipv6"] {
        let file = format!("{family}/fib_multipath_hash_policy");
        leaf.namespace.set(&file, policy);
    }
    let router = format!("router bgp {LEAF_ASN}");
    let activate = "neighbor 10.98.0.1 activate";
    leaf.bgp(&[
        &router,
        "address-family ipv4 unicast",
        activate,
        "exit",
        "address-family ipv6 unicast",
        activate,
    ]);
    let address: std::net::Ipv4Addr = "10.98.0.2".parse().expect("an address");
    let speakers = [
        verifying(&lab.node, "10.0.0.1", peer(Lab::leaf_v4(0))),
        verifying(&second, "10.0.0.2", peer(address)),
    ];
    let shared = || {
        let hops = BOTH.map(|prefix| leaf.namespace.routes(prefix).matches("nexthop").count());
        (hops == [2, 2]).then_some(())
    };
    eventually("the leaf has both paths", PATIENCE, shared);
    for _ in 0..3 {
        for speaker in &speakers {
            // Everything is looked at anew, while the other one has its share.
            speaker.0.withdraw();
            wait(speaker, &[], &[]);
            speaker.announce();
            eventually("the leaf has both paths again", PATIENCE, shared);
            let end = wait(speaker, &[], &BOTH);
            assert_eq!(end.notice(), None);
        }
    }
    let of = "address-family ipv4 unicast";
    let applied = "neighbor 10.98.0.1 route-map NODES in";
    leaf.bgp(&["route-map NODES deny 10", "exit", &router, of, applied]);
    wait(&speakers[1], &[ANYCAST_V4], &[ANYCAST_V6]);
    let first = speakers[0].peer().forwarding.expect("it is looked at");
    assert_eq!(first.notice(), None, "the leaf sends it to the other node");
}

/// Another node on the only leaf of `lab`.
fn beside(lab: &Lab) -> Namespace {
    let leaf = &lab.leaves[0].namespace;
    let second = Namespace::new(&lab.node.name().replace("-node", "-node2"));
    second.ip(&["addr", "add", ANYCAST_V4, "dev", "lo"]);
    second.ip(&["addr", "add", ANYCAST_V6, "dev", "lo", "nodad"]);
    let pair = ["type", "veth", "peer", "name", "up1", "netns", leaf.name()];
    second.ip(&[&["link", "add", "leaf0"], &pair[..]].concat());
    for (end, interface, last) in [(&second, "leaf0", 1), (leaf, "up1", 2)] {
        let v4 = format!("10.98.0.{last}/30");
        let v6 = format!("2001:db8:98::{last}/64");
        end.ip(&["addr", "add", &v4, "dev", interface]);
        end.ip(&["addr", "add", &v6, "dev", interface, "nodad"]);
        end.ip(&["link", "set", interface, "up"]);
    }
    second
}

#[test]
fn a_peer_over_routers_and_a_next_hop_elsewhere_are_not_asked_and_it_says_why() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let unverified = |change: fn(&mut PeerConfig)| {
        let mut peer = peer(Lab::leaf_v4(0));
        change(&mut peer);
        let speaker = verifying(&lab.node, "10.0.0.1", peer);
        let what = "it says why";
        let peer = speaker.wait(what, |peer| {
            let shown = peer.forwarding.as_ref();
            shown.is_some_and(|it| it.unverified.is_some())
        });
        let shown = peer.forwarding.expect("it was there");
        assert!(shown.missing.is_empty() && shown.verified.is_empty());
        shown.unverified.expect("it was there")
    };
    let why = unverified(|peer| peer.ttl = Ttl::Multihop(4));
    assert!(why.contains("not on a link of this node"), "{why}");
    let why = unverified(|peer| peer.next_hop_v4 = Some("10.99.0.3".parse().expect("one")));
    assert!(
        why.contains("the next hop of 192.0.2.1/32, 10.99.0.3"),
        "{why}"
    );
}
