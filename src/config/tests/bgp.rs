//! `[bgp]` and its peers.

use super::*;

pub(super) const BGP: &str = "\
[bgp]
asn = 4200000001
router-id = \"10.0.0.1\"
announce = [\"192.0.2.1/32\"]
[[bgp.peer]]
address = \"10.0.0.254\"
asn = 4210000001
";

#[test]
fn a_prefix_with_host_bits_is_refused_with_what_was_meant() {
    let text = BGP.replace("192.0.2.1/32", "192.0.2.1/24");
    assert_eq!(
        refused(&text),
        [
            "edge.toml:4:13: bgp.announce: has host bits: did you mean \"192.0.2.0/24\" or \"192.0.2.1/32\"?, \
             found \"192.0.2.1/24\""
        ]
    );
}

#[test]
fn a_duplicate_peer_is_refused_at_the_second() {
    let text = format!("{BGP}[[bgp.peer]]\naddress = \"10.0.0.254\"\nasn = 4210000002\n");
    assert_eq!(
        refused(&text),
        ["edge.toml:9:11: bgp.peer[1].address: 10.0.0.254 is the address of bgp.peer[0] already"]
    );
}

#[test]
fn peers_need_our_as_and_router_id() {
    let text = BGP
        .replace("asn = 4200000001\n", "")
        .replace("router-id = \"10.0.0.1\"\n", "");
    let problems = refused(&text);
    assert!(
        problems
            .iter()
            .any(|line| line.contains("bgp.asn: is missing")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|line| line.contains("bgp.router-id: is missing"))
    );
    assert_eq!(problems.len(), 2);
}

#[test]
fn a_peer_that_is_waited_for_needs_an_address_to_listen_on_and_an_address_of_its_own() {
    let passive = format!("{BGP}passive = true\n");
    assert_eq!(
        refused(&passive),
        [
            "edge.toml:8:11: bgp.peer[0].passive: needs bgp.listen, with the address that the leaf \
             connects to, like \"10.0.0.1:179\""
        ]
    );
    let listens = |text: &str, listen: &str| {
        text.replace("[[bgp.peer]]", &format!("listen = {listen}\n[[bgp.peer]]"))
    };
    let text = listens(&passive, "[\"10.0.0.1:179\"]");
    let bgp = Case::new(&text).loaded().config.bgp.unwrap();
    assert_eq!(bgp.listen, ["10.0.0.1:179".parse().unwrap()]);
    assert!(bgp.peers[0].passive);
    let on_link = passive.replace("address = \"10.0.0.254\"", "interface = \"eth1\"");
    for (text, listen, message) in [
        (BGP, "[\"10.0.0.1:0\"]", "a port is missing"),
        (
            BGP,
            "[\"10.0.0.1:179\", \"10.0.0.1:179\"]",
            "stands there twice",
        ),
        (
            &on_link,
            "[\"[::]:179\"]",
            "passive: is not for a peer that is known by its interface",
        ),
    ] {
        let problems = refused(&listens(text, listen));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(message), "{problems:?}");
    }
}

#[test]
fn what_rfc_4271_forbids_a_peer_is_refused() {
    for (setting, message) in [
        (
            "hold-time = \"0s\"",
            "hold-time: must be from 3s to 18h 12m 15s, is 0s",
        ),
        ("hold-time = \"2s\"", "hold-time: must be from 3s"),
        ("hold-time = \"3500ms\"", "hold-time: must be whole seconds"),
        ("port = 0", "port: must be from 1 to 65535"),
        ("port = 70000", "port: expected a number from 0 to 65535"),
        (
            "next-hop-v6 = \"10.0.0.1\"",
            "next-hop-v6: expected an IPv6 address",
        ),
        ("md5 = \"x\"", "md5: unknown key"),
        ("multihop = 0", "multihop: must be from 1 to 255, is 0"),
        ("multihop = 256", "multihop: must be from 1 to 255, is 256"),
        (
            "source = \"10.0.0.254\"",
            "source: is the leaf's own address",
        ),
        (
            "source = \"2001:db8::1\"",
            "source: must be of the same family as address",
        ),
        (
            "interface = \"eth 1\"",
            "interface: expected the name of a network interface",
        ),
        (
            "bfd-interval = \"10ms\"",
            "bfd-interval: must be from 50ms to 1m, is 10ms",
        ),
        ("ttl-security = 1", "ttl-security: expected true or false"),
        (
            "holdtime = \"8s\"",
            "holdtime: unknown key; did you mean hold-time?",
        ),
    ] {
        let problems = refused(&format!("{BGP}{setting}\n"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("edge.toml:8:"), "{problems:?}");
        assert!(
            problems[0].contains(&format!("bgp.peer[0].{message}")),
            "{problems:?}"
        );
    }
    for asn in ["0", "23456", "\"x\"", "-1", "4294967296"] {
        let text = BGP.replace("asn = 4210000001", &format!("asn = {asn}"));
        let problems = refused(&text);
        assert!(
            problems[0].starts_with("edge.toml:7:7: bgp.peer[0].asn: "),
            "{problems:?}"
        );
    }
}

#[test]
fn an_interface_takes_the_place_of_a_peers_address() {
    let text = BGP.replace("address = \"10.0.0.254\"", "interface = \"eth1\"");
    let bgp = Case::new(&text).loaded().config.bgp.unwrap();
    assert_eq!(bgp.peers[0].address, None);
    assert_eq!(bgp.peers[0].name(), "eth1");
    let problems = refused(&BGP.replace("address = \"10.0.0.254\"\n", ""));
    assert!(
        problems[0].contains("bgp.peer[0].address: is missing"),
        "{problems:?}"
    );
    let problems = refused(&format!("{text}multihop = 2\n"));
    assert!(
        problems[0].contains("that one is on the link"),
        "{problems:?}"
    );
}

#[test]
fn what_protects_a_session_is_read_and_a_key_that_others_may_read_is_refused() {
    let text = format!(
        "{BGP}multihop = 2\nttl-security = true\nbfd-interval = \"100ms\"\nsource = \"10.0.0.1\"\n"
    );
    let bgp = Case::new(&text).loaded().config.bgp.unwrap();
    let peer = &bgp.peers[0];
    assert_eq!(peer.ttl, metal_bgp::Ttl::Security { hops: 2 });
    let bfd = peer.bfd.unwrap();
    assert_eq!(
        (bfd.interval, bfd.multiplier),
        (Duration::from_millis(100), 3)
    );
    assert!(bfd.multihop);

    let keys = Case::new("");
    let with = |mode| {
        let path = keys.file("leaf.key", "s3cret\n", mode);
        format!("{BGP}md5-key-file = \"{}\"\n", path.display())
    };
    let problems = refused(&with(0o644));
    assert!(
        problems[0].contains("bgp.peer[0].md5-key-file: others can use"),
        "{problems:?}"
    );
    let bgp = Case::new(&with(0o600)).loaded().config.bgp.unwrap();
    assert!(bgp.peers[0].md5_key().unwrap().is_some());
}

#[test]
fn announcing_what_nobody_listens_on_is_doubtful_but_not_refused() {
    let warnings = Case::new(BGP).loaded().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0]
            .what
            .contains("no address of listen.api is in it")
    );
    let text = format!("{BGP}[listen]\napi = [\"192.0.2.1:443\", \"192.0.2.2:443\"]\n");
    let warnings = Case::new(&text).loaded().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].what.contains("192.0.2.2 is in no prefix"));
}

#[test]
fn a_degraded_node_has_graceful_shutdown_unless_something_else_is_said() {
    let bgp = "[bgp]\nasn = 4200000001\nrouter-id = \"10.0.0.1\"\nmed = 5\n";
    let levels = |more: &str| {
        let case = Case::new(&format!("{bgp}{more}"));
        case.loaded().config.bgp.unwrap().levels
    };
    let shutdown = [metal_bgp::Community::GRACEFUL_SHUTDOWN];
    let plain = levels("");
    assert_eq!(plain.healthy.communities(), []);
    assert_eq!(plain.degraded.communities(), shutdown);
    assert_eq!(plain.degraded.med(), Some(5));
    assert_eq!(plain.leaving.communities(), shutdown);
    let prepended = levels("degraded-prepend = 3\n");
    assert_eq!(prepended.degraded.prepend(), 3);
    assert_eq!(prepended.degraded.communities(), []);
    assert_eq!(prepended.degraded.med(), Some(5));
    assert_eq!(prepended.leaving.communities(), shutdown);
}

#[test]
fn wrong_attributes_are_named() {
    let text = "[bgp]\nasn = 4200000001\nrouter-id = \"10.0.0.1\"\nprepend = 17\n\
                communities = [\"65536:1\"]\nlarge-communities = [\"1:2\"]\n";
    let problems = Case::new(text).problems().join("\n");
    for key in ["bgp.prepend", "bgp.communities", "bgp.large-communities"] {
        assert!(problems.contains(key), "{key}: {problems}");
    }
}

#[test]
fn a_peer_may_be_in_any_other_as_or_in_our_own() {
    for (text, wanted) in [
        ("\"external\"", PeerAsn::External),
        (
            "4200000001",
            PeerAsn::Exactly("4200000001".parse().unwrap()),
        ),
    ] {
        let text = BGP.replace("asn = 4210000001", &format!("asn = {text}"));
        let bgp = Case::new(&text).loaded().config.bgp.unwrap();
        assert_eq!(bgp.peers[0].asn, wanted);
    }
}

#[test]
fn a_prefix_may_have_attributes_of_its_own() {
    let text = BGP.replace(
        "[[bgp.peer]]",
        "[[bgp.prefix]]\nprefix = \"192.0.2.1/32\"\nmed = 7\ndegraded-prepend = 2\n\n[[bgp.peer]]",
    );
    let bgp = Case::new(&text).loaded().config.bgp.unwrap();
    let own = &bgp.exceptions[&"192.0.2.1/32".parse().unwrap()];
    assert_eq!(own.healthy.med(), Some(7));
    assert_eq!((own.degraded.med(), own.degraded.prepend()), (Some(7), 2));
    assert_eq!(bgp.levels.healthy.med(), None);
    for (from, to, says) in [
        (
            "192.0.2.1/32\"\nmed",
            "192.0.2.9/32\"\nmed",
            "is not in bgp.announce",
        ),
        (
            "prefix = \"192.0.2.1/32\"\nmed",
            "med",
            "bgp.prefix[0].prefix: is missing",
        ),
        (
            "degraded-prepend",
            "degraded-prepent",
            "did you mean degraded-prepend?",
        ),
    ] {
        let problems = refused(&text.replace(from, to)).join("\n");
        assert!(problems.contains(says), "{problems}");
    }
}
