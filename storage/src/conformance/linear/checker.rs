use std::collections::HashSet;
use std::hash::Hash;

/// What a thing does when one operation follows another.
pub trait Model {
    /// Everything that the next answers depend on.
    type State: Clone + Eq + Hash;
    /// An operation and what it was answered.
    type Op;

    /// The state after the operation, if it may be answered so in this state.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State>;

    /// Whether the operation, answered so, changes nothing in any state.
    fn only_looks(&self, op: &Self::Op) -> bool;
}

/// One operation, in the order of a clock that all clients share.
#[derive(Clone, Debug)]
pub struct Call<Op> {
    /// When it was asked for.
    pub begun: u64,
    /// When it was answered; `None` if it never was, so that it took effect at any time since, or
    /// never.
    pub ended: Option<u64>,
    /// What it was.
    pub op: Op,
}

/// What a history turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its operations, in this order, one after another, give these answers.
    Linear(Vec<usize>),
    /// No order does. This is the longest beginning of one that was found.
    Wrong(Vec<usize>),
    /// Neither was found within the bound.
    Undecided,
}

/// Whether there is one order of the operations in which each takes effect between its question
/// and its answer.
///
/// The search of Wing and Gong with Lowe's memory of where it has been; it gives up after
/// `steps` of the model. What only looks takes effect as soon as it may, and is not tried later:
/// if an order fits in which it looks later, the same order fits with it moved here. Costs little more than one step for each operation where answers say
/// their order, as revisions do, and in the worst case is exponential.
pub fn check<M: Model>(
    model: &M,
    start: M::State,
    calls: &[Call<M::Op>],
    mut steps: u64,
) -> Verdict {
    let mut events = Events::new(calls);
    let mut state = start;
    let mut done = Set::new(calls.len());
    let mut seen: HashSet<(Set, M::State)> = HashSet::new();
    let mut order: Vec<(usize, M::State)> = Vec::new();
    let mut longest: Vec<usize> = Vec::new();
    let mut at = events.first();
    while let Some(event) = at {
        match event {
            Event::Begun(call) => {
                if steps == 0 {
                    return Verdict::Undecided;
                }
                steps -= 1;
                let next = model.step(&state, &calls[call].op).filter(|next| {
                    done.flip(call);
                    let new = seen.insert((done.clone(), next.clone()));
                    done.flip(call);
                    new
                });
                at = match next {
                    Some(next) => {
                        done.flip(call);
                        order.push((call, std::mem::replace(&mut state, next)));
                        events.take(call);
                        events.first()
                    }
                    None => events.after(event),
                };
            }
            // It must have taken effect by now, and has not: what came before was wrong.
            Event::Ended(_) => {
                if order.len() > longest.len() {
                    longest = order.iter().map(|(call, _)| *call).collect();
                }
                at = loop {
                    let Some((call, before)) = order.pop() else {
                        return Verdict::Wrong(longest);
                    };
                    state = before;
                    done.flip(call);
                    events.put_back(call);
                    if !model.only_looks(&calls[call].op) {
                        break events.after(Event::Begun(call));
                    }
                };
            }
        }
    }
    Verdict::Linear(order.into_iter().map(|(call, _)| call).collect())
}

#[derive(Clone, Copy)]
enum Event {
    Begun(usize),
    Ended(usize),
}

/// Questions and answers in the order of the clock, as a list from which a call can be taken and
/// put back, the last first.
struct Events {
    events: Vec<Event>,
    /// Of each event, shifted by one: the next and the previous; 0 is before all and after all.
    links: Vec<(usize, usize)>,
    /// Of each call: where it begins and where it ends.
    places: Vec<(usize, Option<usize>)>,
}

// === impl Events ===

impl Events {
    fn new<Op>(calls: &[Call<Op>]) -> Self {
        let mut events = Vec::with_capacity(2 * calls.len());
        for (i, call) in calls.iter().enumerate() {
            events.push((call.begun, Event::Begun(i)));
            events.extend(call.ended.map(|ended| (ended, Event::Ended(i))));
        }
        events.sort_by_key(|(time, event)| (*time, matches!(event, Event::Ended(_))));
        let mut places = vec![(0, None); calls.len()];
        for (i, (_, event)) in events.iter().enumerate() {
            match event {
                Event::Begun(call) => places[*call].0 = i + 1,
                Event::Ended(call) => places[*call].1 = Some(i + 1),
            }
        }
        let count = events.len() + 1;
        Self {
            events: events.into_iter().map(|(_, event)| event).collect(),
            links: (0..count)
                .map(|i| ((i + 1) % count, (i + count - 1) % count))
                .collect(),
            places,
        }
    }

    fn first(&self) -> Option<Event> {
        self.at(self.links[0].0)
    }

    fn after(&self, event: Event) -> Option<Event> {
        let place = match event {
            Event::Begun(call) => self.places[call].0,
            Event::Ended(call) => self.places[call].1.expect("it has ended"),
        };
        self.at(self.links[place].0)
    }

    fn at(&self, place: usize) -> Option<Event> {
        place.checked_sub(1).map(|i| self.events[i])
    }

    fn take(&mut self, call: usize) {
        let (begun, ended) = self.places[call];
        for place in [Some(begun), ended].into_iter().flatten() {
            let (next, previous) = self.links[place];
            self.links[previous].0 = next;
            self.links[next].1 = previous;
        }
    }

    fn put_back(&mut self, call: usize) {
        let (begun, ended) = self.places[call];
        for place in [ended, Some(begun)].into_iter().flatten() {
            let (next, previous) = self.links[place];
            self.links[previous].0 = place;
            self.links[next].1 = place;
        }
    }
}

/// Which calls have taken effect.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Set(Vec<u64>);

// === impl Set ===

impl Set {
    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    fn flip(&mut self, i: usize) {
        self.0[i / 64] ^= 1 << (i % 64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A register that holds 0 at first.
    struct Register;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Read(u8),
        Write(u8),
        /// From, to, and whether it was done.
        Swap(u8, u8, bool),
    }
    use Op::*;

    impl Model for Register {
        type State = u8;
        type Op = Op;

        fn step(&self, state: &u8, op: &Op) -> Option<u8> {
            match *op {
                Read(value) => (value == *state).then_some(value),
                Write(value) => Some(value),
                Swap(from, to, true) => (from == *state).then_some(to),
                Swap(from, _, false) => (from != *state).then_some(*state),
            }
        }

        fn only_looks(&self, op: &Op) -> bool {
            matches!(op, Read(_) | Swap(_, _, false))
        }
    }

    fn call(begun: u64, ended: u64, op: Op) -> Call<Op> {
        Call {
            begun,
            ended: Some(ended),
            op,
        }
    }

    fn open(begun: u64, op: Op) -> Call<Op> {
        Call {
            begun,
            ended: None,
            op,
        }
    }

    fn is_linear(calls: &[Call<Op>]) -> bool {
        match check(&Register, 0, calls, 1_000_000) {
            Verdict::Linear(order) => {
                let mut state = 0;
                for call in order {
                    state = Register.step(&state, &calls[call].op).unwrap();
                }
                true
            }
            Verdict::Wrong(_) => false,
            Verdict::Undecided => panic!("a million steps are enough"),
        }
    }

    #[test]
    fn known_good_histories_are_linear() {
        let good: [&[Call<Op>]; 7] = [
            &[],
            &[
                call(0, 1, Read(0)),
                call(2, 3, Write(1)),
                call(4, 5, Read(1)),
            ],
            // Overlapping writes take effect in either order.
            &[
                call(0, 9, Write(1)),
                call(1, 8, Write(2)),
                call(10, 11, Read(1)),
            ],
            &[
                call(0, 9, Write(1)),
                call(1, 8, Write(2)),
                call(10, 11, Read(2)),
            ],
            // A read within a write sees the old or the new.
            &[
                call(0, 9, Write(1)),
                call(1, 2, Read(0)),
                call(3, 4, Read(1)),
            ],
            // One that was never answered happened, or did not.
            &[open(0, Write(1)), call(1, 2, Read(0)), call(3, 4, Read(1))],
            &[open(0, Write(1)), call(1, 2, Read(0)), call(3, 4, Read(0))],
        ];
        for calls in good {
            assert!(is_linear(calls), "{calls:?}");
        }
    }

    #[test]
    fn known_bad_histories_are_not() {
        let bad: [&[Call<Op>]; 7] = [
            &[call(0, 1, Read(1))],
            // A lost write, and a stale read.
            &[call(0, 1, Write(1)), call(2, 3, Read(0))],
            // New, then old again.
            &[
                call(0, 9, Write(1)),
                call(1, 2, Read(1)),
                call(3, 4, Read(0)),
            ],
            // Two swap the same value.
            &[call(0, 9, Swap(0, 1, true)), call(1, 8, Swap(0, 2, true))],
            // Refused although nothing stood in its way.
            &[call(0, 1, Write(1)), call(2, 3, Swap(1, 2, false))],
            // One that was never answered happened before it was asked for, or twice.
            &[call(0, 1, Read(1)), open(2, Write(1))],
            &[
                open(0, Swap(0, 1, true)),
                call(1, 2, Read(1)),
                call(3, 4, Write(0)),
                call(5, 6, Read(1)),
            ],
        ];
        for calls in bad {
            assert!(!is_linear(calls), "{calls:?}");
        }
    }

    #[test]
    fn a_search_that_would_take_too_long_is_given_up() {
        let calls: Vec<_> = (0..20).map(|i| call(0, 100, Write(i))).collect();
        assert_eq!(check(&Register, 0, &calls, 10), Verdict::Undecided);
    }

    /// Every order of every subset that has all answered calls, tried.
    fn by_brute_force(calls: &[Call<Op>], left: &mut Vec<usize>, state: u8) -> bool {
        let ended = |i: &usize| calls[*i].ended;
        let Some(first) = left.iter().filter_map(ended).min() else {
            return true;
        };
        for at in 0..left.len() {
            let i = left[at];
            if calls[i].begun > first {
                continue;
            }
            if let Some(next) = Register.step(&state, &calls[i].op) {
                left.remove(at);
                let found = by_brute_force(calls, left, next);
                left.insert(at, i);
                if found {
                    return true;
                }
            }
        }
        false
    }

    fn histories() -> impl Strategy<Value = Vec<Call<Op>>> {
        let op = prop_oneof![
            3 => (0..3_u8).prop_map(Read),
            2 => (0..3_u8).prop_map(Write),
            2 => (0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(a, b, done)| Swap(a, b, done)),
        ];
        let call = (0..12_u64, prop::option::weighted(0.8, 1..6_u64), op);
        let call = call.prop_map(|(begun, lasts, op)| Call {
            begun: 2 * begun,
            ended: lasts.map(|lasts| 2 * (begun + lasts) + 1),
            op,
        });
        prop::collection::vec(call, 0..7)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn the_search_finds_what_trying_every_order_finds(calls in histories()) {
            let mut all = (0..calls.len()).collect();
            prop_assert_eq!(is_linear(&calls), by_brute_force(&calls, &mut all, 0));
        }
    }
}
