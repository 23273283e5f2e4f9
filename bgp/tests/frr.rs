//! The speaker against a real leaf switch: FRR in a network namespace, its kernel's table as
//! witness.

#[path = "../../tests/lab/mod.rs"]
mod lab;

mod announcer;

use std::time::Duration;

use announcer::{LEAF_ASN, NODE_ASN, PATIENCE, Speaker};
use lab::{ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, Moment, RemoteAs, RouteMonitor};
use nix::sys::signal::Signal;
use serde_json::Value;

#[test]
fn the_routes_of_both_families_come_with_the_announcement_and_go_with_its_end() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    let monitor = leaf.monitor();
    speaker.established(1);

    let at = speaker.tell("announce 60");
    report("announce", &monitor, false, at);
    assert!(leaf.namespace.routes(ANYCAST_V4).contains("10.99.0.1"));
    assert!(leaf.namespace.routes(ANYCAST_V6).contains("2001:db8:99::1"));
    let path = leaf.path(ANYCAST_V4);
    assert_eq!(path["aspath"]["string"], NODE_ASN);
    assert_eq!(path["origin"], "IGP");

    let at = speaker.tell("withdraw");
    report("withdraw", &monitor, true, at);
    assert_eq!(leaf.namespace.routes(ANYCAST_V4), "");
    assert_eq!(leaf.namespace.routes(ANYCAST_V6), "");

    let at = speaker.tell("announce 60");
    report("announce again", &monitor, false, at);

    let at = speaker.tell("announce 1");
    let gone = monitor.deleted(ANYCAST_V4, at, PATIENCE).at.since(at);
    println!("expiry (valid for 1000 ms): {} ms", gone.as_millis());
    assert!(gone >= Duration::from_millis(950), "{gone:?}");
    assert!(gone < Duration::from_millis(2000), "{gone:?}");
    let status = speaker.status();
    assert_eq!(status["state"], "expired");
    assert_eq!(status["expirations"], 1);
    assert_eq!(status["peers"][0]["state"], "Established");

    let at = speaker.tell("announce 60");
    monitor.added(ANYCAST_V6, at, PATIENCE);
    let at = lab::now();
    speaker.process.kill();
    report("kill -9", &monitor, true, at);
}

#[test]
fn renewing_the_same_announcement_sends_nothing() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    let monitor = leaf.monitor();
    speaker.established(1);
    let at = speaker.tell("announce 60");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    let before = leaf.updates_received();
    let at = lab::now();
    for _ in 0..100 {
        speaker.tell("announce 60");
    }
    // Whatever would have been sent for the renewals is before this on the connection.
    let gshut = speaker.tell("gshut 60");
    lab::eventually("the community arrives", PATIENCE, || {
        communities(&leaf.path(ANYCAST_V6))
            .contains("graceful")
            .then_some(())
    });
    assert_eq!(
        leaf.updates_received(),
        before + 2,
        "one per family for the change"
    );
    let renewed = monitor.events(ANYCAST_V4, at);
    assert!(renewed.iter().all(|event| event.at >= gshut), "{renewed:?}");
}

#[test]
fn graceful_shutdown_is_seen_as_local_preference_zero() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    let monitor = leaf.monitor();
    speaker.established(1);
    let at = speaker.tell("announce 60");
    let preference = |prefix| leaf.path(prefix)["locPrf"].as_u64();
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    assert_ne!(preference(ANYCAST_V4), Some(0));
    speaker.tell("gshut 60");
    for prefix in [ANYCAST_V4, ANYCAST_V6] {
        lab::eventually("local-pref 0", PATIENCE, || {
            (preference(prefix) == Some(0)).then_some(())
        });
        assert!(communities(&leaf.path(prefix)).contains("graceful"));
        assert_eq!(monitor.losses(prefix, at), [], "still there");
    }
}

#[test]
fn a_restarted_leaf_is_found_and_told_again() {
    let (mut lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    speaker.established(1);
    let monitor = lab.leaves[0].monitor();
    let at = speaker.tell("announce 600");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    lab.leaves[0].down();
    lab::eventually("the loss is seen", PATIENCE, || {
        let peer = speaker.status()["peers"][0].clone();
        (peer["state"] != "Established" && peer["announced"] == serde_json::json!([])).then_some(())
    });
    lab.leaves[0].up();
    let up = lab::now();
    let monitor = lab.leaves[0].monitor();
    lab::eventually("the route is told again", PATIENCE, || {
        (!lab.leaves[0].path(ANYCAST_V4).is_null()).then_some(())
    });
    println!(
        "restart of the leaf to route: {} ms",
        lab::now().since(up).as_millis()
    );
    drop(monitor);
    speaker.established(1);
    let peer = &speaker.status()["peers"][0];
    assert_eq!(peer["counters"]["flaps"], 1);
    assert_eq!(peer["counters"]["established"], 2);
    assert!(peer["last_error"].is_string(), "{peer}");
}

#[test]
fn a_wrong_as_number_shows_as_a_sentence_on_either_side() {
    // The leaf is not the AS that we expect.
    let (_lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN + 1)]);
    let error = speaker.error();
    assert_eq!(
        error,
        "the peer is AS 4210000002, the configuration expects AS 4210000001: correct the peer's asn"
    );

    // We are not the AS that the leaf expects.
    let mut config = LeafConfig::new(LEAF_ASN);
    config.node = RemoteAs::Exactly(65_001);
    let (_lab, mut speaker) = lab_and_speaker(&[config]);
    let error = speaker.error();
    assert_eq!(
        error,
        "the peer closed the session with OPEN Message Error 2/2 (Bad Peer AS): it expects \
         another AS number from this node than 4200000001"
    );
}

#[test]
fn a_dead_leaf_does_not_touch_the_session_with_another() {
    let configs = [LeafConfig::new(LEAF_ASN), LeafConfig::new(LEAF_ASN)];
    let (mut lab, mut speaker) = lab_and_speaker(&configs);
    speaker.established(2);
    let monitor = lab.leaves[1].monitor();
    let at = speaker.tell("announce 600");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    let before = lab.leaves[1].updates_received();
    lab.leaves[0].down();
    lab::eventually("the dead leaf is noticed", PATIENCE, || {
        (speaker.status()["peers"][0]["state"] != "Established").then_some(())
    });
    // Long enough for a shared fault to show: past two keepalives, and a link that went.
    lab.node
        .ip(&["link", "set", &Lab::node_interface(0), "down"]);
    lab::eventually("keepalives go on", PATIENCE, || {
        let sent = lab.leaves[1].neighbor()["messageStats"]["keepalivesRecv"].as_u64();
        (sent >= Some(4)).then_some(())
    });
    let peer = &speaker.status()["peers"][1];
    assert_eq!(peer["state"], "Established");
    assert_eq!(peer["counters"]["flaps"], 0);
    assert_eq!(lab.leaves[1].updates_received(), before);
    assert_eq!(monitor.losses(ANYCAST_V4, at), []);
    assert_eq!(monitor.losses(ANYCAST_V6, at), []);
    let at = speaker.tell("withdraw");
    report("withdraw with a dead leaf beside", &monitor, true, at);
}

#[test]
fn close_says_why_and_open_brings_everything_back() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    let monitor = leaf.monitor();
    speaker.established(1);
    let at = speaker.tell("announce 600");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    let at = speaker.tell("close");
    println!(
        "close until flushed: {} ms",
        lab::now().since(at).as_millis()
    );
    report("close", &monitor, true, at);
    let neighbor = leaf.neighbor();
    assert_eq!(
        neighbor["lastShutdownDescription"], "closed by hand",
        "{neighbor}"
    );
    let status = speaker.status();
    assert_eq!(status["open"], false);
    assert_eq!(status["peers"][0]["state"], "Idle");
    let at = speaker.tell("open");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    let at = lab::now();
    assert!(speaker.process.finish(PATIENCE).success());
    report("end of the process", &monitor, true, at);
}

#[test]
fn a_session_over_ipv6_carries_both_families() {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.over_v6 = true;
    let (lab, mut speaker) = lab_and_speaker(&[config]);
    let monitor = lab.leaves[0].monitor();
    speaker.established(1);
    let at = speaker.tell("announce 60");
    report("announce over IPv6", &monitor, false, at);
    assert!(
        lab.leaves[0]
            .namespace
            .routes(ANYCAST_V4)
            .contains("via 10.99.0.1")
    );
    let at = speaker.tell("withdraw");
    report("withdraw over IPv6", &monitor, true, at);
}

#[test]
fn an_internal_peer_takes_the_routes_with_an_empty_path() {
    let own: u32 = NODE_ASN.parse().unwrap();
    let mut config = LeafConfig::new(own);
    config.node = RemoteAs::Exactly(own);
    let lab = Lab::new(&[config]);
    let mut speaker = Speaker::start(&lab, NODE_ASN);
    speaker.established(1);
    let monitor = lab.leaves[0].monitor();
    let at = speaker.tell("announce 60");
    report("announce to an internal peer", &monitor, false, at);
    let path = lab.leaves[0].path(ANYCAST_V4);
    assert_eq!(path["aspath"]["string"], "Local");
    assert_eq!(path["locPrf"], 100);
}

#[test]
fn what_cannot_be_announced_is_said_until_it_can() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let link = Lab::node_interface(0);
    let address = format!("{}/64", Lab::node_v6(0));
    lab.node.ip(&["addr", "del", &address, "dev", &link]);
    let mut speaker = Speaker::start(&lab, &LEAF_ASN.to_string());
    let monitor = lab.leaves[0].monitor();
    speaker.established(1);
    let at = speaker.tell("announce 60");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    let peer = &speaker.status()["peers"][0];
    assert_eq!(
        peer["not_announced"],
        "IPv6 prefixes are not announced: the interface of 10.99.0.1 has no global IPv6 address \
         to be their next hop; give it one, or set next-hop-v6"
    );
    assert_eq!(peer["announced"], serde_json::json!([ANYCAST_V4]));
    lab.node
        .ip(&["addr", "add", &address, "dev", &link, "nodad"]);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    assert_eq!(speaker.status()["peers"][0]["not_announced"], Value::Null);
}

#[test]
fn the_routes_of_a_leaf_are_counted_and_dropped_and_a_refresh_is_answered() {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.extra = vec![
        "address-family ipv4 unicast".to_owned(),
        "network 198.51.100.0/24".to_owned(),
        "exit-address-family".to_owned(),
        "no bgp network import-check".to_owned(),
    ];
    let (lab, mut speaker) = lab_and_speaker(&[config]);
    let leaf = &lab.leaves[0];
    speaker.established(1);
    speaker.tell("announce 60");
    lab::eventually("the leaf's route is counted", PATIENCE, || {
        let counters = speaker.status()["peers"][0]["counters"].clone();
        (counters["prefixes_received"].as_u64() >= Some(1)).then_some(())
    });
    assert_eq!(lab.node.routes("198.51.100.0/24"), "");
    lab::eventually("the route arrives", PATIENCE, || {
        (!leaf.path(ANYCAST_V4).is_null()).then_some(())
    });
    let before = leaf.updates_received();
    leaf.vtysh("clear bgp ipv4 unicast * soft in");
    lab::eventually("the route is sent again", PATIENCE, || {
        (leaf.updates_received() == before + 1).then_some(())
    });
    assert!(!leaf.path(ANYCAST_V4).is_null());
}

fn lab_and_speaker(leaves: &[LeafConfig]) -> (Lab, Speaker) {
    let lab = Lab::new(leaves);
    let speaker = Speaker::start(&lab, &LEAF_ASN.to_string());
    (lab, speaker)
}

/// Waits until both routes have come or gone since `at`, and prints how long it took.
fn report(what: &str, monitor: &RouteMonitor, gone: bool, at: Moment) {
    let [v4, v6] = [ANYCAST_V4, ANYCAST_V6].map(|prefix| {
        let event = match gone {
            true => monitor.deleted(prefix, at, PATIENCE),
            false => monitor.added(prefix, at, PATIENCE),
        };
        event.at.since(at).as_millis()
    });
    println!("{what}: IPv4 {v4} ms, IPv6 {v6} ms");
}

fn communities(path: &Value) -> String {
    path["community"]["string"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase()
}

#[test]
fn prepend_med_and_communities_of_both_kinds_are_seen() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let monitor = lab.leaves[0].monitor();
    speaker.established(1);
    let at = speaker.tell("announce 60 med=50 prepend=2 community=65001:7 large=4200000001:1:2");
    monitor.added(ANYCAST_V4, at, PATIENCE);
    monitor.added(ANYCAST_V6, at, PATIENCE);
    for prefix in [ANYCAST_V4, ANYCAST_V6] {
        let path = lab.leaves[0].path(prefix);
        assert_eq!(path["aspath"]["string"], [NODE_ASN; 3].join(" "), "{path}");
        assert_eq!(path["metric"].as_u64().or(path["med"].as_u64()), Some(50));
        assert_eq!(path["community"]["string"], "65001:7");
        assert_eq!(path["largeCommunity"]["string"], "4200000001:1:2");
    }
}

#[test]
fn a_leaf_that_hangs_is_left_at_the_hold_time_and_found_again() {
    let (mut lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    speaker.established(1);
    speaker.tell("announce 600");
    lab.leaves[0].signal_bgpd(Signal::SIGSTOP);
    let error = lab::eventually("the hold time ends", PATIENCE, || {
        let peer = speaker.status()["peers"][0].clone();
        let lost = peer["state"] != "Established";
        lost.then(|| peer["last_error"].as_str().unwrap_or_default().to_owned())
    });
    assert_eq!(
        error,
        "nothing was heard from the peer for the hold time of 8 s"
    );
    lab.leaves[0].signal_bgpd(Signal::SIGCONT);
    speaker.established(1);
    let leaf = &lab.leaves[0];
    lab::eventually("the route is told again", PATIENCE, || {
        (!leaf.path(ANYCAST_V4).is_null()).then_some(())
    });
}

#[test]
fn a_storm_of_resets_on_a_leaf_that_connects_too_ends_with_one_session_and_the_route() {
    let (lab, mut speaker) = lab_and_speaker(&[LeafConfig::new(LEAF_ASN)]);
    let leaf = &lab.leaves[0];
    // Now both sides connect, again and again at the same time.
    speaker.tell(&format!("listen {}:179", Lab::node_v4(0)));
    speaker.established(1);
    speaker.tell("announce 600");
    for _ in 0..15 {
        leaf.vtysh("clear bgp *");
    }
    lab::eventually("calm", PATIENCE, || {
        let up = speaker.status()["peers"][0]["state"] == "Established";
        let known = leaf.neighbor()["bgpState"] == "Established";
        (up && known && !leaf.path(ANYCAST_V4).is_null()).then_some(())
    });
    let peer = &speaker.status()["peers"][0];
    println!("counters after the storm: {}", peer["counters"]);
    assert_eq!(peer["announced"].as_array().map(Vec::len), Some(2));
}
