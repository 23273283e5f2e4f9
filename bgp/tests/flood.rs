//! What a leaf sends costs bounded memory, and no leaf costs another one its session.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

mod support;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use metal_bgp::PeerState;
use support::{
    KEEPALIVE, Leaf, NOTIFICATION, PATIENCE, UPDATE, address, announcement, config, listen, start,
    until,
};

/// Prefixes of the flood: a full table of the internet.
const FLOOD: u32 = 1_000_000;

/// Prefixes per UPDATE; with /32s that is close to the largest message.
const PER_MESSAGE: u32 = 800;

/// Far below what a million routes would cost anybody who keeps them.
const MOST_MEMORY_KIB: u64 = 32 * 1024;

#[test]
fn a_million_routes_are_counted_and_dropped_in_bounded_memory_beside_a_good_session() {
    let (first, second) = (listen(), listen());
    let speaker = start(&[address(&first), address(&second)]);
    let mut flooder = Leaf::accept(&first);
    let mut good = Leaf::accept(&second);
    flooder.establish();
    good.establish();
    speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
    assert_eq!(good.hear_but(KEEPALIVE), UPDATE);
    let before = peak_memory();

    let attributes = [
        &[0x40, 1, 1, 0][..],
        &[0x40, 2, 4, 2, 1, 0xFD, 0xE9],
        &[0x40, 3, 4, 10, 0, 0, 2],
    ]
    .concat();
    for message in 0..FLOOD / PER_MESSAGE {
        let mut body = vec![0, 0, 0, attributes.len() as u8];
        body.extend(&attributes);
        for i in 0..PER_MESSAGE {
            body.push(32);
            body.extend((0x0B00_0000 + message * PER_MESSAGE + i).to_be_bytes());
        }
        flooder.say(UPDATE, &body);
        if message == FLOOD / PER_MESSAGE / 2 {
            // In the middle of it the other leaf is told at once.
            speaker.withdraw();
            assert_eq!(good.hear_but(KEEPALIVE), UPDATE);
            assert_eq!(good.body, [0, 5, 32, 192, 0, 2, 1, 0, 0]);
        }
    }
    // The end of the flood is heard when its answer comes.
    flooder.say(99, &[]);
    while flooder.hear_but(KEEPALIVE) != NOTIFICATION {}
    let status = until(&speaker, |peers| peers[0].counters.notifications_sent == 1);
    let counters = &status.peers[0].counters;
    assert_eq!(counters.prefixes_received, u64::from(FLOOD));
    assert_eq!(counters.updates_malformed, 0);
    assert_eq!(status.peers[1].counters.flaps, 0);
    let grown = peak_memory() - before;
    println!("{FLOOD} prefixes: the process grew by {grown} KiB");
    assert!(grown < MOST_MEMORY_KIB, "{grown} KiB");
}

#[test]
fn a_leaf_that_never_reads_one_that_sends_garbage_and_one_that_flaps_leave_a_good_one_alone() {
    let listeners = [listen(), listen(), listen(), listen()];
    let mut config = config(&listeners.each_ref().map(address));
    for peer in &mut config.peers {
        peer.retry_min = Duration::from_millis(10);
        peer.retry_max = Duration::from_millis(10);
    }
    let speaker = metal_bgp::Speaker::start(config).unwrap();
    let [deaf, noisy, flapping, good] = listeners;
    let mut good = Leaf::accept(&good);
    good.establish();
    // It asks for everything again and again, and takes nothing.
    let mut deaf = Leaf::accept(&deaf);
    deaf.establish();
    until(&speaker, |p| p[3].state == PeerState::Established);
    deaf.stream.set_nonblocking(true).unwrap();
    let noise = std::thread::spawn(move || {
        for round in 0..50 {
            let mut leaf = Leaf::accept(&noisy);
            let _ = leaf.stream.write_all(&[round; 3000]);
            while leaf.stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
        }
    });
    let flaps = std::thread::spawn(move || {
        for _ in 0..50 {
            Leaf::accept(&flapping).establish();
        }
    });
    for round in 0..20 {
        // A refresh of IPv4, as often as fits.
        let mut refresh = vec![0xFF; 16];
        refresh.extend([0, 23, 5, 0, 1, 0, 1]);
        let refreshes = refresh.repeat(100);
        let _ = deaf.stream.write(&refreshes);
        speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
        assert_eq!(good.hear_but(KEEPALIVE), UPDATE, "round {round}");
        speaker.withdraw();
        let at = Instant::now();
        assert_eq!(good.hear_but(KEEPALIVE), UPDATE, "round {round}");
        assert_eq!(good.body, [0, 5, 32, 192, 0, 2, 1, 0, 0]);
        assert!(at.elapsed() < Duration::from_secs(5), "{:?}", at.elapsed());
    }
    noise.join().unwrap();
    flaps.join().unwrap();
    let status = until(&speaker, |peers| peers[2].counters.flaps >= 49);
    assert!(status.peers[1].counters.notifications_sent >= 49);
    let good = &status.peers[3];
    assert_eq!(good.state, PeerState::Established);
    assert_eq!((good.counters.flaps, good.counters.updates_sent), (0, 40));
}

/// The most memory that this process ever had, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let digits = line.unwrap().split_whitespace().nth(1).unwrap();
    digits.parse().unwrap()
}
