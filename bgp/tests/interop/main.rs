//! The speaker against leaves that run BIRD and GoBGP, each in a network namespace of its own.

#[path = "../../../tests/lab/mod.rs"]
mod lab;

#[path = "../announcer/mod.rs"]
mod announcer;

#[path = "../inside/mod.rs"]
mod inside;

mod bird;
mod forwarding;
mod gobgp;
mod security;

use std::net::IpAddr;

use announcer::{LEAF_ASN, NODE_ASN, PATIENCE, Speaker};
use lab::{ANYCAST_V4, ANYCAST_V6, Lab, Namespace, Process, eventually};
use nix::sys::signal::Signal;

use bird::Bird;
use gobgp::Gobgp;

/// Kernel and daemon settle within it, on a slow machine too.
const HOLD_TIME: u64 = 8;

/// A leaf that runs some daemon, with the node as its only neighbour.
trait Leaf: Sized {
    /// Starts the daemon: AS [`LEAF_ASN`], both families, `node` in AS [`NODE_ASN`].
    fn start(namespace: Namespace, node: IpAddr) -> Self;
    fn process(&mut self) -> &mut Process;
    /// Starts the daemon again after it was killed.
    fn restart(&mut self);
    /// All that the daemon knows of its route to `prefix`; empty if there is none.
    fn route(&self, prefix: &str) -> String;
    /// What [`Leaf::route`] says for path, MED, community and large community.
    fn attributes() -> [&'static str; 4];
}

fn lab_and_speaker<L: Leaf>(over_v6: bool) -> (Lab, L, Speaker) {
    let lab = Lab::new(&[]);
    let namespace = lab.attach(0);
    let (node, leaf): (IpAddr, IpAddr) = match over_v6 {
        false => (Lab::node_v4(0).into(), Lab::leaf_v4(0).into()),
        true => (Lab::node_v6(0).into(), Lab::leaf_v6(0).into()),
    };
    let daemon = L::start(namespace, node);
    let mut speaker = Speaker::start_with(&lab, &leaf.to_string(), &LEAF_ASN.to_string());
    speaker.established(1);
    (lab, daemon, speaker)
}

fn known<L: Leaf>(leaf: &L, prefix: &str, wanted: bool) {
    eventually(&format!("{prefix} known: {wanted}"), PATIENCE, || {
        (leaf.route(prefix).is_empty() != wanted).then_some(())
    });
}

fn attributes_arrive_and_the_routes_go_again<L: Leaf>(over_v6: bool) {
    let (_lab, leaf, mut speaker) = lab_and_speaker::<L>(over_v6);
    speaker.tell("announce 600 med=50 prepend=2 community=65001:7 large=4200000001:1:2");
    for prefix in [ANYCAST_V4, ANYCAST_V6] {
        known(&leaf, prefix, true);
        let route = leaf.route(prefix);
        for attribute in L::attributes() {
            assert!(route.contains(attribute), "no {attribute:?} in {route}");
        }
    }
    speaker.tell("withdraw");
    known(&leaf, ANYCAST_V4, false);
    known(&leaf, ANYCAST_V6, false);
    let peer = &speaker.status()["peers"][0];
    assert_eq!(peer["remote_asn"], LEAF_ASN);
    assert_eq!(peer["counters"]["updates_sent"], 4);
}

/// Each side notices in the hold time that the other one hangs, and both come back.
fn the_hold_time_ends_on_either_side<L: Leaf>() {
    let (_lab, mut leaf, mut speaker) = lab_and_speaker::<L>(false);
    speaker.tell("announce 600");
    known(&leaf, ANYCAST_V4, true);
    leaf.process().signal(Signal::SIGSTOP);
    eventually("the hang is noticed", PATIENCE, || {
        let error = speaker.status()["peers"][0]["last_error"].clone();
        let error = error.as_str().unwrap_or_default().to_owned();
        error.contains("for the hold time of").then_some(())
    });
    leaf.process().signal(Signal::SIGCONT);
    speaker.established(1);
    known(&leaf, ANYCAST_V4, true);
    speaker.process.signal(Signal::SIGSTOP);
    known(&leaf, ANYCAST_V4, false);
    speaker.process.signal(Signal::SIGCONT);
    speaker.established(1);
    // Its announcement was valid all the time.
    known(&leaf, ANYCAST_V4, true);
}

fn restarts_end_with_the_route<L: Leaf>() {
    let (_lab, mut leaf, mut speaker) = lab_and_speaker::<L>(false);
    speaker.tell("announce 600");
    known(&leaf, ANYCAST_V4, true);
    for _ in 0..3 {
        leaf.process().kill();
        eventually("the loss is seen", PATIENCE, || {
            (speaker.status()["peers"][0]["state"] != "Established").then_some(())
        });
        leaf.restart();
        speaker.established(1);
        known(&leaf, ANYCAST_V4, true);
    }
}

macro_rules! interoperate {
    ($leaf:ident, $name:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn attributes_arrive_over_ipv4_and_the_routes_go_again() {
                attributes_arrive_and_the_routes_go_again::<$leaf>(false);
            }

            #[test]
            fn attributes_arrive_over_ipv6_and_the_routes_go_again() {
                attributes_arrive_and_the_routes_go_again::<$leaf>(true);
            }

            #[test]
            fn a_hang_is_noticed_in_the_hold_time_by_either_side() {
                the_hold_time_ends_on_either_side::<$leaf>();
            }

            #[test]
            fn a_leaf_that_dies_again_and_again_is_found_and_told_again() {
                restarts_end_with_the_route::<$leaf>();
            }
        }
    };
}

#[test]
fn a_route_refresh_of_bird_is_answered_without_a_flap() {
    let (_lab, leaf, mut speaker) = lab_and_speaker::<Bird>(false);
    speaker.tell("announce 600");
    known(&leaf, ANYCAST_V4, true);
    leaf.refresh();
    eventually("the refresh is counted", PATIENCE, || {
        let counters = speaker.status()["peers"][0]["counters"].clone();
        let asked = counters["refreshes_received"].as_u64() >= Some(2);
        (asked && counters["updates_sent"].as_u64() >= Some(4)).then_some(())
    });
    known(&leaf, ANYCAST_V4, true);
    let peer = &speaker.status()["peers"][0];
    assert_eq!(peer["counters"]["flaps"], 0);
}

#[test]
fn a_soft_reset_of_gobgp_uses_what_it_has_kept_and_asks_for_nothing() {
    let (_lab, leaf, mut speaker) = lab_and_speaker::<Gobgp>(false);
    speaker.tell("announce 600");
    known(&leaf, ANYCAST_V4, true);
    leaf.soft_reset_in(Lab::node_v4(0).into());
    // The command returns when it is done.
    speaker.tell("withdraw");
    known(&leaf, ANYCAST_V4, false);
    let counters = speaker.status()["peers"][0]["counters"].clone();
    assert_eq!(counters["refreshes_received"], 0);
    assert_eq!(counters["flaps"], 0);
}

// GoBGP rests for half a minute after the first.
#[test]
fn a_storm_of_resets_by_bird_ends_with_the_session_and_the_route() {
    let (_lab, leaf, mut speaker) = lab_and_speaker::<Bird>(false);
    speaker.tell("announce 600");
    known(&leaf, ANYCAST_V4, true);
    for _ in 0..10 {
        leaf.reset();
    }
    eventually("the session ends at least once", PATIENCE, || {
        let counters = speaker.status()["peers"][0]["counters"].clone();
        (counters["flaps"].as_u64() >= Some(1)).then_some(())
    });
    speaker.established(1);
    known(&leaf, ANYCAST_V4, true);
}

interoperate!(Bird, with_bird);
interoperate!(Gobgp, with_gobgp);
