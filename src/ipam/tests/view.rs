//! A pool of which only a part is known, against a plain set of values: over 10,000 operations.

use proptest::prelude::*;

use super::model::Model;
use crate::ipam::free_set::Miss;
use crate::ipam::view::{Stop, View};
use crate::ipam::{Interval, IpamError, Move, Want};

/// Values of the pool.
const SIZE: u128 = 150;

#[derive(Clone, Debug)]
enum Act {
    Make(Want),
    /// What was acquired as the so many-th of what is out, or a free or foreign value.
    Release(prop::sample::Index),
    ReleaseAgain(u128),
    /// Undoes the last move, if it was made since the last commit.
    Undo,
    Commit,
    /// Forgets what is not committed.
    Reset,
    /// Forgets everything.
    Reload,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Make(Want::Any)),
        4 => (0..SIZE).prop_map(|value| Act::Make(Want::Value(value))),
        4 => (0..6_u8).prop_map(|bits| Act::Make(Want::Aligned { bits })),
        2 => (1..9_u128).prop_map(|most| Act::Make(Want::UpTo(most))),
        2 => (0..SIZE, 0..9_u128).prop_map(|(lo, more)| {
            let hi = (lo + more).min(SIZE - 1);
            Act::Make(Want::Range(Interval { lo, hi }))
        }),
        12 => any::<prop::sample::Index>().prop_map(Act::Release),
        1 => (0..SIZE).prop_map(Act::ReleaseAgain),
        2 => Just(Act::Undo),
        3 => Just(Act::Commit),
        1 => Just(Act::Reset),
        1 => Just(Act::Reload),
    ]
}

/// A view, the set that it must be like, and the set as it is stored.
struct Twin {
    base: u128,
    view: View,
    now: Model,
    stored: Model,
    out: Vec<Interval>,
    out_stored: Vec<Interval>,
    commits: u64,
    page: usize,
}

// === impl Twin ===

impl Twin {
    fn new(base: u128, page: usize) -> Self {
        let pool: crate::ipam::PoolId = "p".parse().unwrap();
        let span = Interval {
            lo: base,
            hi: base + (SIZE - 1),
        };
        let mut view = View::new(pool.clone(), None);
        let create = Move::Create {
            pool,
            spans: vec![span],
            reserved: vec![],
        };
        view.make(&create).unwrap();
        view.stored(metal_storage::Revision::new(1).into());
        let now = Model::of(span);
        Self {
            base,
            view,
            stored: now.clone(),
            now,
            out: vec![],
            out_stored: vec![],
            commits: 1,
            page,
        }
    }

    /// Makes a move; answers what it asks for from what is stored.
    fn make(&mut self, made: &Move) -> Result<Option<Interval>, IpamError> {
        self.view.mark();
        for _ in 0..100 {
            let miss = match self.view.make(made) {
                Ok(acquired) => return Ok(acquired),
                Err(Stop::Refused(error)) => {
                    self.view.undo();
                    return Err(error);
                }
                Err(Stop::Miss(miss)) => miss,
            };
            self.view.undo();
            let runs = self.stored.runs();
            let wanted: Vec<Interval> = match miss {
                Miss::From(from) => runs.into_iter().filter(|run| run.hi >= from).collect(),
                Miss::Level(bits, until) => {
                    let level = runs.into_iter().filter(|run| run.fits() == bits);
                    level
                        .filter(|run| until.is_none_or(|until| run.hi > until))
                        .collect()
                }
                Miss::Everything => panic!("it contradicts itself"),
            };
            let more = wanted.len() > self.page;
            let shown = &wanted[..wanted.len().min(self.page)];
            self.view.load(miss, shown, more);
        }
        panic!("it asks again and again");
    }

    fn acquire(&mut self, want: Want) {
        let want = match want {
            Want::Value(value) => Want::Value(self.base + value),
            Want::Range(Interval { lo, hi }) => Want::Range(Interval {
                lo: self.base + lo,
                hi: self.base + hi,
            }),
            other => other,
        };
        let expected = self.now.acquire(want);
        let pool = "p".parse().unwrap();
        let acquired = self.make(&Move::Acquire { pool, want });
        match (expected, acquired) {
            (Some(expected), Ok(acquired)) => {
                assert_eq!(acquired, Some(expected), "{want:?}");
                self.out.push(expected);
            }
            (None, Err(IpamError::Exhausted { .. } | IpamError::Taken { .. })) => {}
            (expected, acquired) => panic!("{want:?}: {acquired:?} instead of {expected:?}"),
        }
    }

    fn release(&mut self, interval: Interval) -> bool {
        let pool = "p".parse().unwrap();
        let released = self.make(&Move::Release { pool, interval });
        match released {
            Ok(_) => true,
            Err(IpamError::NotTaken { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Make(want) => self.acquire(*want),
            Act::Release(index) if !self.out.is_empty() => {
                let interval = self.out.swap_remove(index.index(self.out.len()));
                assert!(self.release(interval), "{interval} was not taken back");
                assert!(self.now.release(interval));
            }
            Act::Release(_) => {}
            Act::ReleaseAgain(value) => {
                let interval = Interval::one(self.base + value);
                if self.now.free.contains(&interval.lo) {
                    assert!(
                        !self.release(interval),
                        "{interval} was taken back, free as it is"
                    );
                }
            }
            Act::Undo => {
                let (now, out) = (self.now.clone(), self.out.clone());
                self.acquire(Want::Any);
                self.view.undo();
                (self.now, self.out) = (now, out);
            }
            Act::Commit => {
                self.commits += 1;
                let revision = metal_storage::Revision::new(self.commits);
                self.apply_changes();
                self.view.stored(revision.into());
                self.out_stored.clone_from(&self.out);
            }
            Act::Reset => {
                self.view.reset();
                self.back();
            }
            Act::Reload => {
                self.view.reset();
                let stored = self.view.head_as_stored();
                self.view = View::new("p".parse().unwrap(), stored);
                self.back();
            }
        }
        assert_eq!(self.view.counters(), &self.now.counters(), "after {act:?}");
    }

    fn back(&mut self) {
        self.now.clone_from(&self.stored);
        self.out.clone_from(&self.out_stored);
    }

    /// What the view would write makes of what is stored what it should be.
    fn apply_changes(&mut self) {
        let mut runs: std::collections::BTreeMap<u128, Interval> = self
            .stored
            .runs()
            .into_iter()
            .map(|run| (run.hi, run))
            .collect();
        for (hi, interval) in self.view.changed() {
            match interval {
                Some(interval) => runs.insert(*hi, *interval),
                None => runs.remove(hi),
            };
        }
        let runs: Vec<Interval> = runs.into_values().collect();
        assert_eq!(runs, self.now.runs(), "what is written is not what is free");
        self.stored.clone_from(&self.now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(70))]

    #[test]
    fn a_pool_of_which_a_part_is_known_is_as_a_set_of_values(
        base in prop::sample::select(vec![0, 3, (1 << 32) - 75, u128::MAX - (SIZE - 1)]),
        page in 1..6_usize,
        fragments in prop::collection::btree_set(0..SIZE, 0..60),
        acts in prop::collection::vec(acts(), 150),
    ) {
        let mut twin = Twin::new(base, page);
        for value in fragments {
            twin.acquire(Want::Value(value));
        }
        twin.act(&Act::Commit);
        twin.act(&Act::Reload);
        for act in &acts {
            twin.act(act);
        }
    }
}
