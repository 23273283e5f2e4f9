mod pair;

use std::num::NonZeroU32;

use super::*;
use pair::{Link, Pair};

const MS: Duration = Duration::from_millis(1);

fn config(interval: u64, multiplier: u8) -> BfdConfig {
    BfdConfig {
        interval: Duration::from_millis(interval),
        multiplier,
        multihop: false,
    }
}

fn engine(now: Instant, interval: u64) -> Engine {
    Engine::new(now, &config(interval, 3), NonZeroU32::new(1).unwrap())
}

/// A packet of a peer with 100 ms x 3.
fn said(state: BfdState) -> Packet {
    Packet {
        diagnostic: BfdDiagnostic::NONE,
        state,
        poll: false,
        is_final: false,
        multiplier: NonZeroU8::new(3).unwrap(),
        my: NonZeroU32::new(2).unwrap(),
        your: NonZeroU32::new(1),
        desired_min_tx: 100 * MS,
        required_min_rx: 100 * MS,
    }
}

/// An engine that is up, with everything sent that was due.
fn up(start: Instant, interval: u64) -> Engine {
    let mut engine = engine(start, interval);
    engine.receive(start, &said(BfdState::Down));
    engine.receive(start, &said(BfdState::Up));
    assert_eq!(engine.state(), BfdState::Up);
    let mut last = said(BfdState::Up);
    last.is_final = true;
    while engine.transmit(start).is_some() {}
    engine.receive(start, &last);
    engine
}

#[test]
fn two_sides_come_up_within_a_second_or_two_and_send_as_often_as_agreed() {
    let mut pair = Pair::new(config(50, 3), config(300, 5));
    pair.run(Duration::from_secs(3), Link::perfect());
    assert_eq!(pair.states(), [BfdState::Up; 2]);
    assert_eq!(pair.ends[0].transmit_interval(), Some(300 * MS));
    assert_eq!(pair.ends[1].transmit_interval(), Some(300 * MS));
    assert_eq!(pair.ends[0].detection_time(), 1500 * MS);
    assert_eq!(pair.ends[1].detection_time(), 900 * MS);
    assert!(pair.ends.iter().all(|end| !end.polling), "the polls ended");
}

#[test]
fn while_the_session_is_not_up_one_packet_a_second_is_sent() {
    let start = Instant::now();
    let mut engine = engine(start, 50);
    let mut sent = 0;
    let mut now = start;
    while now < start + Duration::from_secs(60) {
        engine.tick(now);
        sent += std::iter::from_fn(|| engine.transmit(now)).count();
        now = engine.deadline().unwrap().max(now + MS);
    }
    assert!((60..=81).contains(&sent), "{sent} packets");
}

#[test]
fn silence_for_the_detection_time_is_down_and_not_before() {
    let start = Instant::now();
    let mut engine = up(start, 50);
    let detection = 300 * MS;
    assert_eq!(engine.detection_time(), detection);
    engine.tick(start + detection - MS);
    assert_eq!(engine.state(), BfdState::Up);
    engine.tick(start + detection);
    assert_eq!(engine.state(), BfdState::Down);
    let packet = engine.transmit(start + detection).expect("told at once");
    assert_eq!(packet.diagnostic, BfdDiagnostic::EXPIRED);
    assert_eq!(packet.desired_min_tx, SLOW);
    assert_eq!(packet.your, None);
}

#[test]
fn a_poll_is_answered_with_a_final_at_once_and_only_once() {
    let start = Instant::now();
    let mut engine = up(start, 100);
    let mut poll = said(BfdState::Up);
    poll.poll = true;
    let now = start + MS;
    engine.receive(now, &poll);
    let answer = engine.transmit(now).expect("an answer");
    assert!(answer.is_final && !answer.poll);
    assert_eq!(engine.transmit(now), None);
}

#[test]
fn going_up_is_polled_until_the_final_comes() {
    let start = Instant::now();
    let mut engine = engine(start, 100);
    engine.receive(start, &said(BfdState::Down));
    engine.receive(start, &said(BfdState::Up));
    let mut now = start;
    for _ in 0..5 {
        assert!(engine.transmit(now).expect("due").poll);
        now = engine.due.unwrap();
    }
    let mut last = said(BfdState::Up);
    last.is_final = true;
    engine.receive(now, &last);
    assert!(!engine.transmit(now).expect("due").poll);
}

#[test]
fn a_peer_that_changes_its_rate_moves_the_next_packet() {
    let start = Instant::now();
    let mut engine = up(start, 100);
    assert!(engine.due.unwrap() <= start + 100 * MS);
    let mut slower = said(BfdState::Up);
    slower.required_min_rx = 2000 * MS;
    engine.receive(start + 10 * MS, &slower);
    assert!(engine.due.unwrap() >= start + 1500 * MS, "slower at once");
    engine.receive(start + 20 * MS, &said(BfdState::Up));
    assert!(
        engine.due.unwrap() <= start + 120 * MS,
        "and faster at once"
    );
    let mut silent = said(BfdState::Up);
    silent.required_min_rx = Duration::ZERO;
    engine.receive(start + 30 * MS, &silent);
    assert_eq!(engine.due, None);
}

#[test]
fn a_slower_peer_gets_more_time() {
    let start = Instant::now();
    let mut engine = up(start, 100);
    let mut slower = said(BfdState::Up);
    (slower.desired_min_tx, slower.poll) = (1000 * MS, true);
    engine.receive(start, &slower);
    engine.tick(start + 2999 * MS);
    assert_eq!(engine.state(), BfdState::Up);
    engine.tick(start + 3000 * MS);
    assert_eq!(engine.state(), BfdState::Down);
}

#[test]
fn a_peer_that_gets_faster_is_not_taken_for_dead_before_it_does() {
    let start = Instant::now();
    let mut engine = up(start, 100);
    let mut slow = said(BfdState::Up);
    slow.desired_min_tx = 400 * MS;
    engine.receive(start, &slow);
    // It polls for the faster rate at the slower one, and then keeps to that once more.
    let mut poll = said(BfdState::Up);
    poll.poll = true;
    let mut now = start;
    for packet in [poll, poll, said(BfdState::Up), said(BfdState::Up)] {
        now += 400 * MS;
        engine.tick(now);
        assert_eq!(engine.state(), BfdState::Up);
        engine.receive(now, &packet);
    }
    engine.tick(now + 300 * MS);
    assert_eq!(engine.state(), BfdState::Down);
}

#[test]
fn a_peer_whose_poll_is_lost_is_not_taken_for_dead_because_it_has_answered_ours() {
    let start = Instant::now();
    let mut engine = engine(start, 100);
    let mut slow = said(BfdState::Init);
    slow.desired_min_tx = SLOW;
    engine.receive(start, &slow);
    assert_eq!(engine.state(), BfdState::Up);
    let (mut poll, mut answer) = (said(BfdState::Up), said(BfdState::Up));
    (poll.poll, answer.is_final) = (true, true);
    let mut now = start;
    // It keeps to the slow rate until it hears our Final, and the first two do not arrive.
    for packets in [&[poll, answer][..], &[poll], &[poll], &[said(BfdState::Up)]] {
        now += SLOW;
        engine.tick(now);
        assert_eq!(engine.state(), BfdState::Up);
        for packet in packets {
            engine.receive(now, packet);
        }
    }
    engine.receive(now + 100 * MS, &said(BfdState::Up));
    assert_eq!(
        engine.detection_time(),
        300 * MS,
        "the second at the new rate"
    );
}

#[test]
fn a_peer_that_is_switched_off_is_down_without_a_fault() {
    let start = Instant::now();
    let mut engine = up(start, 100);
    engine.receive(start, &said(BfdState::AdminDown));
    assert_eq!(engine.state(), BfdState::Down);
    assert_eq!(engine.remote_state(), BfdState::AdminDown);
    assert_eq!(engine.diagnostic(), BfdDiagnostic::NEIGHBOR_DOWN);
}

#[test]
fn switched_off_it_says_so_and_hears_nothing_until_it_is_switched_on() {
    let mut pair = Pair::new(config(100, 3), config(100, 3));
    pair.run(Duration::from_secs(3), Link::perfect());
    pair.ends[0].disable(pair.now);
    pair.run(Duration::from_secs(5), Link::perfect());
    assert_eq!(pair.states(), [BfdState::AdminDown, BfdState::Down]);
    assert_eq!(pair.ends[1].remote_state(), BfdState::AdminDown);
    pair.ends[0].enable(pair.now);
    pair.run(Duration::from_secs(5), Link::perfect());
    assert_eq!(pair.states(), [BfdState::Up; 2]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_bad_link_did_both_sides_are_up_once_it_is_good_and_down_once_it_is_cut(
        seed in 1_u64..u64::MAX,
        intervals in (50_u64..1000, 50_u64..1000),
        multipliers in (2_u8..6, 2_u8..6),
        loss in 0_u64..70,
        duplicates in 0_u64..50,
        delay in 0_u64..400,
        bad_for in 0_u64..20,
    ) {
        let mut pair = Pair::new(
            config(intervals.0, multipliers.0),
            config(intervals.1, multipliers.1),
        );
        pair.seed(seed);
        let bad = Link { loss, duplicates, delay: Duration::from_millis(delay) };
        pair.run(Duration::from_secs(bad_for), bad);
        // At the most the longest detection time, then a handshake of slow packets.
        pair.run(Duration::from_secs(12), Link::perfect());
        proptest::prop_assert_eq!(pair.states(), [BfdState::Up; 2]);
        let slowest = pair.ends.iter().map(Engine::detection_time).max().unwrap();
        pair.run(slowest + 10 * MS, Link::cut());
        proptest::prop_assert_eq!(pair.states(), [BfdState::Down; 2]);
        // At most one packet per interval, and a few for what changed.
        let span = (pair.now - pair.start).as_millis() as u64;
        let limit = 2 * (span / (intervals.0.min(intervals.1) * 3 / 4) + 1) * 3 + 200;
        let limit = limit + 4 * span / GAP.as_millis() as u64;
        proptest::prop_assert!(pair.sent <= limit, "{} packets in {span} ms", pair.sent);
    }
}
