//! Two sessions, one on each end of a connection that delivers in any portions and with any
//! delay.

use proptest::collection::vec;
use proptest::prelude::*;

use super::peer::{LEAF, NODE, candidates, terms};
use super::*;

/// What happens next to one of the two.
#[derive(Debug, Clone)]
enum Step {
    /// Up to so many bytes arrive at the other side.
    Deliver(bool, usize),
    /// So many milliseconds pass.
    Pass(u64),
    /// Something else is wanted.
    Want(bool, Option<u16>),
    /// The connection breaks.
    Break,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), 1..200usize).prop_map(|(side, count)| Step::Deliver(side, count)),
        3 => (0..1500u64).prop_map(Step::Pass),
        2 => (any::<bool>(), any::<Option<u16>>()).prop_map(|(side, c)| Step::Want(side, c)),
        1 => Just(Step::Break),
    ]
}

fn want(community: Option<u16>) -> Wanted {
    community.and_then(|low| announcement(&[Community::new(1, low)]))
}

fn deliver(ends: &mut [Machine; 2], from: usize, count: usize, now: Instant) -> usize {
    let count = count.min(ends[from].outbox().len());
    let bytes = ends[from].outbox()[..count].to_vec();
    if count > 0 {
        ends[from].sent(now, count);
        ends[1 - from].receive(now, &bytes);
    }
    count
}

/// Ticks whoever is due until `now`.
fn pass(ends: &mut [Machine; 2], now: Instant) {
    for end in ends {
        while let Some(deadline) = end.deadline().filter(|at| *at <= now) {
            end.tick(deadline);
            assert_ne!(end.deadline(), Some(deadline), "a timer that never stops");
        }
    }
}

proptest! {
    #[test]
    fn two_sessions_agree_or_end_whatever_the_order_of_events(steps in vec(step(), 0..120)) {
        let mut now = Instant::now();
        let new = |now, own, peer, last| {
            Machine::connected(now, terms(own, peer, last), candidates(last), None)
        };
        let mut ends = [new(now, NODE, LEAF, 1), new(now, LEAF, NODE, 2)];
        let mut wanted = [None, None];
        let mut broken = false;
        for step in steps {
            match step {
                Step::Deliver(side, count) if !broken => {
                    deliver(&mut ends, usize::from(side), count, now);
                }
                Step::Pass(millis) => {
                    now += Duration::from_millis(millis);
                    pass(&mut ends, now);
                }
                Step::Want(side, community) => {
                    let side = usize::from(side);
                    wanted[side] = want(community);
                    ends[side].set_wanted(now, wanted[side].clone());
                }
                Step::Break => {
                    broken = true;
                    ends.iter_mut().for_each(|end| end.disconnected(now, None));
                }
                Step::Deliver(..) => {}
            }
        }
        // What is under way arrives; a side that ended closes the connection.
        for _ in 0..100 {
            if broken || deliver(&mut ends, 0, 4096, now) + deliver(&mut ends, 1, 4096, now) == 0 {
                break;
            }
        }
        for (side, other) in [(0, 1), (1, 0)] {
            if ends[side].end().is_some() && ends[other].end().is_none() {
                ends[other].disconnected(now, None);
            }
        }
        let both_up = ends.iter().all(|end| end.state() == PeerState::Established);
        let both_ended = ends.iter().all(|end| end.end().is_some());
        prop_assert!(both_up != both_ended, "{:?} {:?}", ends[0].end(), ends[1].end());
        for (end, wanted) in ends.iter().zip(&wanted) {
            let told: Vec<_> = end.announced().collect();
            let prefixes = wanted.as_ref().map_or(&[][..], |wanted| wanted.prefixes());
            prop_assert_eq!(told, if both_up { prefixes } else { &[] });
            if both_ended {
                prop_assert_eq!(end.deadline(), None);
            }
        }
        if both_up {
            for (end, other) in [(0, 1), (1, 0)] {
                let sent = ends[end].counters.updates_sent;
                prop_assert_eq!(ends[other].counters.updates_received, sent);
                prop_assert_eq!(ends[other].counters.updates_malformed, 0);
            }
        }
    }
}
