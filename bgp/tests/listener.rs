//! Connections that peers make, and what happens when both sides connect.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

mod support;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use metal_bgp::{Md5Key, PeerState, Speaker, SpeakerConfig, StartError};
use socket2::{Domain, Socket, Type};
use support::{
    KEEPALIVE, Leaf, NOTIFICATION, OPEN, PATIENCE, UPDATE, announcement, block_on, config, listen,
    until,
};

/// Addresses of loopback, so that a leaf is known by where it connects from.
const LEAF: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Connection collision resolution (RFC 4486).
const COLLISION: [u8; 2] = [6, 7];

#[test]
fn a_passive_speaker_waits_for_its_peer_and_announces_to_it() {
    let speaker = Speaker::start(passive()).unwrap();
    speaker.announce(announcement(), Instant::now() + PATIENCE);
    until(&speaker, |peers| peers[0].state == PeerState::Active);
    let mut leaf = Leaf::connect(LEAF, speaker.listening()[0]);
    leaf.establish();
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    let status = until(&speaker, |peers| peers[0].state == PeerState::Established);
    let counters = &status.peers[0].counters;
    assert_eq!((counters.connects, counters.accepts), (0, 1));
    // It comes back as soon as the peer does.
    drop(leaf);
    until(&speaker, |peers| peers[0].state != PeerState::Established);
    let mut leaf = Leaf::connect(LEAF, speaker.listening()[0]);
    leaf.establish();
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
}

#[test]
fn a_connection_from_an_address_that_is_no_peers_is_closed_without_a_byte() {
    let speaker = Speaker::start(passive()).unwrap();
    let mut stranger = Leaf::connect(STRANGER, speaker.listening()[0]);
    assert_eq!(stranger.try_hear(), None);
    assert_eq!(speaker.status().refused, 1);
    assert_eq!(speaker.status().peers[0].counters.accepts, 0);
}

#[test]
fn while_the_speaker_is_closed_nobody_is_let_in() {
    let speaker = Speaker::start(passive()).unwrap();
    block_on(speaker.close("maintenance"));
    let mut leaf = Leaf::connect(LEAF, speaker.listening()[0]);
    assert_eq!(leaf.try_hear(), None);
    speaker.open();
    until(&speaker, |peers| peers[0].state == PeerState::Active);
    Leaf::connect(LEAF, speaker.listening()[0]).establish();
}

#[test]
fn of_two_connections_that_of_the_higher_identifier_stays() {
    for (last, ours_stays) in [(2, false), (0, true)] {
        let (speaker, mut ours, mut theirs) = both_connected();
        ours.open(last);
        theirs.open(last);
        let (mut kept, mut lost) = match ours_stays {
            true => (ours, theirs),
            false => (theirs, ours),
        };
        assert_eq!(lost.hear_but(KEEPALIVE), NOTIFICATION, "10.0.0.{last}");
        assert_eq!(lost.body, COLLISION);
        kept.confirm();
        let status = until(&speaker, |peers| peers[0].state == PeerState::Established);
        let peer = &status.peers[0];
        assert_eq!((peer.counters.collisions, peer.counters.flaps), (1, 0));
        assert_eq!(peer.last_error, None, "a collision is no fault");
        speaker.announce(announcement(), Instant::now() + PATIENCE);
        assert_eq!(kept.hear_but(KEEPALIVE), UPDATE);
    }
}

#[test]
fn a_collision_is_seen_whichever_open_comes_first() {
    let (_speaker, mut ours, mut theirs) = both_connected();
    theirs.open(2);
    assert_eq!(theirs.try_hear(), Some(KEEPALIVE));
    ours.open(2);
    assert_eq!(ours.hear_but(KEEPALIVE), NOTIFICATION);
    assert_eq!(ours.body, COLLISION);
}

#[test]
fn an_established_session_survives_another_connection_of_its_peer() {
    let (speaker, listener) = active();
    let mut first = Leaf::accept(&listener);
    first.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    let mut second = Leaf::connect(LEAF, speaker.listening()[0]);
    assert_eq!(second.hear_but(OPEN), NOTIFICATION);
    assert_eq!(second.body, COLLISION);
    speaker.announce(announcement(), Instant::now() + PATIENCE);
    assert_eq!(first.hear_but(KEEPALIVE), UPDATE);
    let counters = speaker.status().peers[0].counters;
    assert_eq!((counters.flaps, counters.established), (0, 1));
}

#[test]
fn when_the_peer_gives_one_of_two_connections_up_the_other_goes_on() {
    let (speaker, ours, mut theirs) = both_connected();
    drop(ours);
    theirs.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
}

#[test]
fn a_peer_with_a_key_is_let_in_with_signatures_only_until_the_key_is_gone() {
    let mut config = passive();
    config.peers[0].md5_key = Some(Md5Key::new(b"key").unwrap());
    let speaker = Speaker::start(config.clone()).unwrap();
    until(&speaker, |peers| peers[0].state == PeerState::Active);
    let at = speaker.listening()[0];
    let unsigned = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((LEAF, 0)).into()).unwrap();
        socket.connect_timeout(&at.into(), Duration::from_millis(500))
    };
    let refused = unsigned().expect_err("no answer without a signature");
    assert_eq!(refused.kind(), std::io::ErrorKind::TimedOut);
    config.peers[0].md5_key = None;
    speaker.reconfigure(config).unwrap();
    let began = Instant::now();
    while unsigned().is_err() {
        assert!(began.elapsed() < PATIENCE, "still demanded");
    }
}

#[test]
fn an_address_that_cannot_be_listened_on_is_named_and_nothing_starts() {
    let taken = listen();
    let mut config = passive();
    config.listen = vec![taken.local_addr().unwrap()];
    match Speaker::start(config) {
        Err(StartError::Listen { address, .. }) => {
            assert_eq!(address, taken.local_addr().unwrap());
        }
        other => panic!("{other:?}"),
    }
}

fn passive() -> SpeakerConfig {
    let mut config = config(&[SocketAddr::from((LEAF, 179))]);
    config.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    config.peers[0].passive = true;
    config
}

/// A speaker that connects to a leaf and listens.
fn active() -> (Speaker, TcpListener) {
    let listener = TcpListener::bind((LEAF, 0)).unwrap();
    let mut config = config(&[listener.local_addr().unwrap()]);
    config.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    (Speaker::start(config).unwrap(), listener)
}

/// The same with a connection either way, and no OPEN from the leaf yet.
fn both_connected() -> (Speaker, Leaf, Leaf) {
    let (speaker, listener) = active();
    let ours = Leaf::accept(&listener);
    until(&speaker, |peers| peers[0].state == PeerState::OpenSent);
    let theirs = Leaf::connect(LEAF, speaker.listening()[0]);
    until(&speaker, |peers| peers[0].counters.accepts == 1);
    (speaker, ours, theirs)
}
