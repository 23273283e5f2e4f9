//! Two sessions over something worse than TCP: messages are lost, doubled, late, and out of order,
//! connections break, and verdicts come and go.

use std::collections::VecDeque;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use rustbgpd_wire::decode_message;

use super::peer::{LEAF, NODE, candidates, terms};
use super::*;

/// What happens next; `bool` is the side whose messages it happens to.
#[derive(Debug, Clone)]
enum Step {
    Deliver(bool),
    Lose(bool),
    Double(bool),
    Swap(bool),
    Pass(u64),
    Verdict(bool, Option<u16>),
    Break,
    Connect,
}

fn step() -> impl Strategy<Value = Step> {
    let side = any::<bool>;
    prop_oneof![
        12 => side().prop_map(Step::Deliver),
        1 => side().prop_map(Step::Lose),
        1 => side().prop_map(Step::Double),
        1 => side().prop_map(Step::Swap),
        3 => (0..4000u64).prop_map(Step::Pass),
        3 => (side(), any::<Option<u16>>()).prop_map(|(side, c)| Step::Verdict(side, c)),
        1 => Just(Step::Break),
        2 => Just(Step::Connect),
    ]
}

/// Both ends, what is between them, and the time.
struct Storm {
    now: Instant,
    ends: [Machine; 2],
    /// From this end to the other, oldest first.
    under_way: [VecDeque<Bytes>; 2],
    verdicts: [Wanted; 2],
}

// === impl Storm ===

impl Storm {
    fn new() -> Self {
        let now = Instant::now();
        let mut storm = Self {
            now,
            ends: Self::connection(now, &[None, None]),
            under_way: Default::default(),
            verdicts: [None, None],
        };
        storm.collect().unwrap();
        storm
    }

    fn connection(now: Instant, verdicts: &[Wanted; 2]) -> [Machine; 2] {
        let end = |own, peer, last, verdict: &Wanted| {
            Machine::connected(
                now,
                terms(own, peer, last),
                candidates(last),
                verdict.clone(),
            )
        };
        [
            end(NODE, LEAF, 1, &verdicts[0]),
            end(LEAF, NODE, 2, &verdicts[1]),
        ]
    }

    /// Takes what the ends say. Nobody announces without a verdict.
    fn collect(&mut self) -> Result<(), TestCaseError> {
        for side in 0..2 {
            let mut said = BytesMut::new();
            while !self.ends[side].outbox().is_empty() {
                said.extend_from_slice(self.ends[side].outbox());
                let count = self.ends[side].outbox().len();
                self.ends[side].sent(self.now, count);
            }
            while let Some(frame) = crate::wire::next_frame(&mut said, 4096).unwrap() {
                if let Message::Update(update) = decode_message(&mut frame.clone(), 4096).unwrap() {
                    let parsed = update.parse(true, false, &[]).unwrap();
                    let mp = |a: &PathAttribute| matches!(a, PathAttribute::MpReachNlri(_));
                    let announces =
                        !parsed.announced.is_empty() || parsed.attributes.iter().any(mp);
                    prop_assert!(!announces || self.verdicts[side].is_some());
                }
                self.under_way[side].push_back(frame);
            }
        }
        Ok(())
    }

    fn deliver(&mut self, side: usize) {
        if let Some(frame) = self.under_way[side].pop_front() {
            self.ends[1 - side].receive(self.now, &frame);
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        for end in &mut self.ends {
            while let Some(deadline) = end.deadline().filter(|at| *at <= self.now) {
                end.tick(deadline);
                assert_ne!(end.deadline(), Some(deadline), "a timer that never stops");
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Deliver(side) => self.deliver(usize::from(*side)),
            Step::Lose(side) => {
                self.under_way[usize::from(*side)].pop_front();
            }
            Step::Double(side) => {
                let queue = &mut self.under_way[usize::from(*side)];
                let oldest = queue.front().cloned();
                queue.extend(oldest);
            }
            // The oldest message arrives last.
            Step::Swap(side) => {
                let queue = &mut self.under_way[usize::from(*side)];
                let oldest = queue.pop_front();
                queue.extend(oldest);
            }
            Step::Pass(millis) => self.pass(*millis),
            Step::Verdict(side, community) => {
                let side = usize::from(*side);
                let verdict = community.and_then(|low| announcement(&[Community::new(1, low)]));
                self.verdicts[side].clone_from(&verdict);
                self.ends[side].set_wanted(self.now, verdict);
            }
            Step::Break => {
                let now = self.now;
                self.ends
                    .iter_mut()
                    .for_each(|end| end.disconnected(now, None));
            }
            Step::Connect if self.ends.iter().all(|end| end.end().is_some()) => {
                self.ends = Self::connection(self.now, &self.verdicts);
                self.under_way = Default::default();
            }
            Step::Connect => {}
        }
    }
}

proptest! {
    #[test]
    fn two_sessions_in_a_storm_are_established_or_ended_soon_after_it(
        steps in vec(step(), 0..150),
    ) {
        let mut storm = Storm::new();
        for step in &steps {
            storm.take(step);
            storm.collect()?;
        }
        // Calm: everything arrives, and who ended closes the connection. Longer than any timer.
        for _ in 0..70 {
            while storm.under_way.iter().any(|queue| !queue.is_empty()) {
                storm.deliver(0);
                storm.deliver(1);
                storm.collect()?;
            }
            for (end, other) in [(0, 1), (1, 0)] {
                if storm.ends[end].end().is_some() {
                    let now = storm.now;
                    storm.ends[other].disconnected(now, None);
                }
            }
            storm.pass(500);
            storm.collect()?;
        }
        let both = |state: PeerState| storm.ends.iter().all(|end| end.state() == state);
        let ended = storm.ends.iter().all(|end| end.end().is_some());
        let states = storm.ends.iter().map(Machine::state).collect::<Vec<_>>();
        prop_assert!(both(PeerState::Established) != ended, "{:?}", states);
        for (end, verdict) in storm.ends.iter().zip(&storm.verdicts) {
            let told: Vec<_> = end.announced().collect();
            let due = verdict.as_ref().filter(|_| !ended);
            prop_assert_eq!(told, due.map_or(&[][..], |verdict| verdict.prefixes()));
        }
    }
}
