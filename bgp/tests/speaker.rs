//! The speaker through its public interface, against leaves on loopback that do what real ones
//! should not.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

mod support;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use metal_bgp::{Announcement, Attributes, Community, PeerState, Speaker, StartError};
use support::{
    KEEPALIVE, Leaf, NOTIFICATION, PATIENCE, UPDATE, address, announcement, block_on, config,
    listen, start, until,
};

#[test]
fn a_refused_connection_is_named_and_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let speaker = start(&[address]);
    let status = until(&speaker, |peers| peers[0].last_error.is_some());
    assert_eq!(
        status.peers[0].last_error.as_deref().unwrap(),
        format!(
            "connection refused: nothing listens on 127.0.0.1 port {}",
            address.port()
        )
    );
    // The leaf comes up later and is found without anybody's help.
    let mut leaf = Leaf::accept(&TcpListener::bind(address).unwrap());
    leaf.establish();
    let status = until(&speaker, |peers| peers[0].state == PeerState::Established);
    assert!(status.peers[0].counters.connects >= 2);
    assert_eq!(
        status.peers[0].local_address,
        Some(Ipv4Addr::LOCALHOST.into())
    );
    assert_eq!(status.peers[0].hold_time_seconds, Some(8));
}

#[test]
fn a_leaf_that_sends_garbage_does_not_touch_the_session_with_another() {
    let (first, second) = (listen(), listen());
    let speaker = start(&[address(&first), address(&second)]);
    let mut good = Leaf::accept(&second);
    good.establish();
    speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
    assert_eq!(good.hear_but(KEEPALIVE), UPDATE);
    for _ in 0..3 {
        let mut bad = Leaf::accept(&first);
        bad.stream.write_all(&[0xAB; 4096]).unwrap();
        // Our OPEN, then what we think of it.
        assert_eq!(bad.hear_but(1), NOTIFICATION);
    }
    let status = until(&speaker, |peers| peers[0].counters.notifications_sent >= 3);
    let good = &status.peers[1];
    assert_eq!(good.state, PeerState::Established);
    assert_eq!((good.counters.flaps, good.counters.updates_sent), (0, 1));
    assert_eq!(good.announced, announcement().prefixes());
    assert!(
        status.peers[0]
            .last_error
            .as_deref()
            .unwrap()
            .contains("Not Synchronized")
    );
}

#[test]
fn an_announcement_ends_by_itself_while_its_owner_hangs() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    let until = Instant::now() + Duration::from_millis(300);
    speaker.announce(announcement(), until);
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    // This thread, the owner, does nothing for the speaker now but wait for the leaf's word.
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    let late = Instant::now().saturating_duration_since(until);
    assert!(
        Instant::now() >= until && late < Duration::from_secs(2),
        "{late:?}"
    );
    // Withdrawn routes: one /32.
    assert_eq!(leaf.body, [0, 5, 32, 192, 0, 2, 1, 0, 0]);
    assert_eq!(speaker.status().expirations, 1);
    assert_eq!(speaker.status().peers[0].state, PeerState::Established);
}

#[test]
fn close_reaches_every_leaf_and_opening_at_once_loses_nobody() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    let closed = speaker.close("maintenance of plant 7");
    assert_eq!(leaf.hear_but(KEEPALIVE), NOTIFICATION);
    assert_eq!(leaf.body[..3], [6, 2, 22]);
    assert_eq!(&leaf.body[3..], b"maintenance of plant 7");
    drop(leaf);
    block_on(closed);
    let status = speaker.status();
    assert!(!status.open);
    assert_eq!(status.peers[0].state, PeerState::Idle);

    speaker.open();
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    // Faster than the session can follow: every future is ready all the same.
    let futures: Vec<_> = (0..20)
        .map(|_| {
            let closed = speaker.close("again");
            speaker.open();
            closed
        })
        .collect();
    std::thread::spawn(move || while leaf.try_hear().is_some() {});
    futures.into_iter().for_each(block_on);
    assert!(speaker.status().open);
}

#[test]
fn closing_a_speaker_whose_leaf_never_answers_is_bounded() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let silent = Leaf::accept(&listener);
    until(&speaker, |peers| peers[0].state == PeerState::OpenSent);
    let began = Instant::now();
    block_on(speaker.close("bye"));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    drop(silent);
}

#[test]
fn dropping_the_speaker_sends_cease_and_ends_its_thread() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    let reader = std::thread::spawn(move || {
        let heard = leaf.hear_but(KEEPALIVE);
        (heard, leaf.body[..2].to_vec())
    });
    let began = Instant::now();
    drop(speaker);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(reader.join().unwrap(), (NOTIFICATION, vec![6, 2]));
}

#[test]
fn a_wrong_configuration_starts_nothing_and_names_its_field() {
    let mut config = config(&[]);
    config.router_id = Ipv4Addr::UNSPECIFIED;
    match Speaker::start(config) {
        Err(StartError::Config(error)) => assert_eq!(error.field(), "router-id"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_speaker_without_peers_runs_and_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let speaker = start(&[]);
    shared(&speaker);
    speaker.announce(announcement(), Instant::now() + PATIENCE);
    until(&speaker, |_| true);
    block_on(speaker.close("nobody"));
    assert!(speaker.status().running);
    let json = serde_json::to_value(speaker.status()).unwrap();
    assert_eq!(json["asn"], 4_200_000_001_u32);
    assert_eq!(json["open"], false);
}

#[test]
fn the_log_tells_what_happened_and_the_routes_what_the_peer_knows() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    let attributes = Attributes::default()
        .with_med(7)
        .with_prepend(1)
        .and_then(|a| a.with_communities([Community::GRACEFUL_SHUTDOWN]))
        .unwrap();
    let prefix = "192.0.2.1/32".parse().unwrap();
    let announcement = Announcement::new([prefix], attributes).unwrap();
    speaker.announce(announcement, Instant::now() + PATIENCE);
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    until(&speaker, |peers| !peers[0].announced.is_empty());
    assert_eq!(
        serde_json::to_value(&speaker.routes()[0].routes).unwrap(),
        serde_json::json!([{
            "prefix": "192.0.2.1/32",
            "next_hop": "127.0.0.1",
            "as_path": [4_200_000_001_u32, 4_200_000_001_u32],
            "med": 7,
            "local_pref": null,
            "communities": ["65535:0"],
            "large_communities": [],
        }])
    );
    leaf.say(NOTIFICATION, b"\x06\x02\x0cleaf upgrade");
    drop(leaf);
    until(&speaker, |peers| peers[0].last_error.is_some());
    assert!(speaker.routes()[0].routes.is_empty());
    let log = speaker.logs().remove(0).entries;
    let told: Vec<String> = log
        .iter()
        .map(|entry| {
            let json = serde_json::to_value(entry).unwrap();
            let detail = ["state", "notification", "first", "reason"];
            let detail = detail.iter().find_map(|key| json[key].as_str());
            format!("{} {}", json["event"].as_str().unwrap(), detail.unwrap())
        })
        .collect();
    let shutdown = "Cease 6/2 (Administrative Shutdown), \"leaf upgrade\"";
    assert_eq!(
        told[..8],
        [
            "state Connect".to_owned(),
            "state OpenSent".to_owned(),
            "state OpenConfirm".to_owned(),
            "state Established".to_owned(),
            "announced 192.0.2.1/32".to_owned(),
            format!("notification-received {shutdown}"),
            format!(
                "lost the peer closed the session with {shutdown}: its operator has shut the \
                 session down"
            ),
            "state Idle".to_owned(),
        ]
    );
}
