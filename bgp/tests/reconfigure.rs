//! Another configuration for a running speaker.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use metal_bgp::{PeerAs, PeerState, Speaker, StartError};
use support::{
    KEEPALIVE, Leaf, NOTIFICATION, PATIENCE, UPDATE, address, announcement, config, listen, until,
};

#[test]
fn a_peer_that_is_added_gets_the_announcement_and_one_that_is_removed_a_cease() {
    let (first, second) = (listen(), listen());
    let speaker = Speaker::start(config(&[address(&first)])).unwrap();
    let mut stays = Leaf::accept(&first);
    stays.establish();
    speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
    assert_eq!(stays.hear_but(KEEPALIVE), UPDATE);

    // The new one comes first in the configuration: the order is no matter.
    let both = config(&[address(&second), address(&first)]);
    speaker.reconfigure(both).unwrap();
    assert_eq!(speaker.status().peers[0].port, address(&second).port());
    let mut comes = Leaf::accept(&second);
    comes.establish();
    assert_eq!(comes.hear_but(KEEPALIVE), UPDATE);

    speaker.reconfigure(config(&[address(&first)])).unwrap();
    assert_eq!(comes.hear_but(KEEPALIVE), NOTIFICATION);
    assert_eq!(comes.body, [6, 3], "Cease/Peer De-configured");
    let status = speaker.status();
    assert_eq!(status.peers.len(), 1);
    let peer = &status.peers[0];
    assert_eq!(peer.state, PeerState::Established);
    assert_eq!((peer.counters.flaps, peer.counters.updates_sent), (0, 1));
    // Whatever would have been sent meanwhile is before this on the connection.
    speaker.withdraw();
    assert_eq!(stays.hear_but(KEEPALIVE), UPDATE);
    assert_eq!(stays.body, [0, 5, 32, 192, 0, 2, 1, 0, 0]);
}

#[test]
fn what_the_peer_never_saw_changes_without_a_reset_and_tells_only_the_difference() {
    let listener = listen();
    let mut config = config(&[address(&listener)]);
    let speaker = Speaker::start(config.clone()).unwrap();
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    config.peers[0].retry_max = Duration::from_secs(20);
    config.peers[0].send_hold_time = Some(Duration::from_secs(60));
    speaker.reconfigure(config.clone()).unwrap();
    config.peers[0].next_hop_v4 = Some(Ipv4Addr::new(10, 9, 9, 9));
    speaker.reconfigure(config).unwrap();
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    let next_hop = [0x40, 3, 4, 10, 9, 9, 9];
    assert!(leaf.body.windows(7).any(|bytes| bytes == next_hop));
    let counters = speaker.status().peers[0].counters;
    assert_eq!((counters.connects, counters.updates_sent), (1, 2));
}

#[test]
fn what_the_session_was_made_with_changes_with_a_reset_of_that_session_alone() {
    let (first, second) = (listen(), listen());
    let mut config = config(&[address(&first), address(&second)]);
    let speaker = Speaker::start(config.clone()).unwrap();
    let mut leaves = [Leaf::accept(&first), Leaf::accept(&second)];
    leaves.iter_mut().for_each(Leaf::establish);
    until(&speaker, |p| {
        p.iter().all(|p| p.state == PeerState::Established)
    });
    config.peers[0].hold_time = Duration::from_secs(30);
    speaker.reconfigure(config.clone()).unwrap();
    assert_eq!(leaves[0].hear_but(KEEPALIVE), NOTIFICATION);
    assert_eq!(leaves[0].body, [6, 6], "Cease/Other Configuration Change");
    leaves[0] = Leaf::accept(&first);
    leaves[0].establish();
    let status = until(&speaker, |p| p[0].hold_time_seconds == Some(30));
    assert_eq!(status.peers[1].counters.connects, 1);
    // Ours is everybody's.
    config.router_id = Ipv4Addr::new(10, 0, 0, 9);
    config.peers[0].asn = PeerAs::External;
    speaker.reconfigure(config).unwrap();
    for (leaf, listener) in leaves.iter_mut().zip([&first, &second]) {
        assert_eq!(leaf.hear_but(KEEPALIVE), NOTIFICATION);
        *leaf = Leaf::accept(listener);
        leaf.establish();
    }
    let status = until(&speaker, |p| {
        p.iter().all(|p| p.state == PeerState::Established)
    });
    assert_eq!(status.router_id, Ipv4Addr::new(10, 0, 0, 9));
    assert_eq!(status.peers[0].remote_asn, Some(65_001));
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let listener = listen();
    let right = config(&[address(&listener)]);
    let speaker = Speaker::start(right.clone()).unwrap();
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    let before = until(&speaker, |p| p[0].state == PeerState::Established);
    let mut wrong = right.clone();
    wrong.peers[0].hold_time = Duration::from_secs(2);
    wrong.router_id = Ipv4Addr::new(10, 0, 0, 9);
    match speaker.reconfigure(wrong) {
        Err(StartError::Config(error)) => assert_eq!(error.field(), "peer[0].hold-time"),
        other => panic!("{other:?}"),
    }
    let mut taken = right;
    taken.listen = vec![address(&listener)];
    taken.peers.clear();
    let refused = speaker.reconfigure(taken);
    assert!(matches!(refused, Err(StartError::Listen { .. })));
    let after = speaker.status();
    assert_eq!(after.router_id, before.router_id);
    assert_eq!(after.peers[0].state, PeerState::Established);
    assert_eq!(after.peers[0].counters.connects, 1);
}

#[test]
fn a_speaker_begins_and_ceases_to_listen_while_it_runs() {
    let leaf = Ipv4Addr::new(127, 0, 0, 2);
    let quiet = config(&[SocketAddr::from((leaf, 1))]);
    let mut listens = quiet.clone();
    listens.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let speaker = Speaker::start(quiet.clone()).unwrap();
    assert!(speaker.listening().is_empty());
    speaker.reconfigure(listens).unwrap();
    let at = speaker.listening()[0];
    Leaf::connect(leaf, at).establish();
    speaker.reconfigure(quiet).unwrap();
    // The socket is gone as soon as its task is; until then nobody is refused by the kernel.
    let gone = || std::net::TcpStream::connect(at).is_err();
    let began = Instant::now();
    while !gone() {
        assert!(began.elapsed() < PATIENCE, "still listening");
        std::thread::yield_now();
    }
}
