//! Every state that the pools ever had, as the change stream tells it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use metal_edge::ipam::{Free, Interval, Pool};
use metal_storage::{Change, Entity, Error, Revision, Scope, Store, Write};
use tokio::sync::watch;

use crate::lease::Lease;
use crate::state::State;
use crate::traffic::POOLS;

/// What is known of one lease.
#[derive(Clone, Debug)]
pub struct Told {
    pub pool: usize,
    pub interval: Interval,
    pub acquired: Revision,
    pub released: Option<Revision>,
}

/// What was free after a revision, and what of it the next one handed out.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub free: State,
    pub next: State,
}

/// Follows the global scope.
#[derive(Default)]
pub struct Follower {
    free: [BTreeMap<u128, Interval>; POOLS.len()],
    /// What is acquired now.
    out: [HashMap<String, Interval>; POOLS.len()],
    /// Of every pool, by revision; the first is before the first revision.
    pub moments: [Vec<Moment>; POOLS.len()],
    pub leases: HashMap<String, Told>,
    pub last: Revision,
    /// How often the stream ended with an error and was resumed.
    pub resumed: usize,
}

// === impl Follower ===

impl Follower {
    /// Follows until the revision that is told last. Panics at the first that breaks a promise.
    pub async fn follow(
        store: Arc<dyn Store>,
        mut until: watch::Receiver<Option<Revision>>,
    ) -> Self {
        let mut seen = Self::default();
        let nothing = Moment {
            free: State::EMPTY,
            next: State::EMPTY,
        };
        seen.moments
            .iter_mut()
            .for_each(|moments| moments.push(nothing));
        loop {
            let mut stream = store.watch(Scope::Global, seen.last);
            loop {
                if until
                    .borrow_and_update()
                    .is_some_and(|end| seen.last >= end)
                {
                    return seen;
                }
                let next = tokio::select! {
                    next = stream.next() => next,
                    _ = until.changed() => continue,
                };
                match next {
                    Some(Ok(change)) => seen.take(change),
                    Some(Err(Error::Unavailable { .. } | Error::Behind { .. })) | None => break,
                    Some(Err(error)) => panic!("{error}"),
                }
            }
            seen.resumed += 1;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    fn take(&mut self, change: Change) {
        let revision = change.revision;
        assert_eq!(revision, self.last.next(), "a gap");
        self.last = revision;
        let mut heads: [Option<Pool>; POOLS.len()] = [None, None];
        let mut given = [State::EMPTY; POOLS.len()];
        for write in &change.writes {
            let key = write.key();
            if key.table().as_str() == Lease::SCHEMA.table() {
                self.lease(write, revision, &mut given);
            } else if key.table().as_str() == Free::SCHEMA.table() {
                let (pool, hi) = key.id().rsplit_once('#').unwrap();
                let free = &mut self.free[place(pool)];
                let hi = u128::from_str_radix(hi, 16).unwrap();
                match write {
                    Write::Put(record) => {
                        let stored: Free = serde_json::from_slice(&record.doc).unwrap();
                        assert_eq!(stored.interval.hi, hi, "{key}");
                        free.insert(hi, stored.interval);
                    }
                    Write::Delete(_) => drop(free.remove(&hi)),
                }
            } else if let Write::Put(record) = write {
                let head: Pool = serde_json::from_slice(&record.doc).unwrap();
                let pool = place(head.id.as_str());
                heads[pool] = Some(head);
            }
        }
        for (pool, head) in heads.into_iter().enumerate() {
            self.check(pool, head, given[pool]);
        }
    }

    fn lease(&mut self, write: &Write, revision: Revision, given: &mut [State]) {
        let id = write.key().id().to_owned();
        match write {
            Write::Put(record) => {
                let lease: Lease = serde_json::from_slice(&record.doc).unwrap();
                let (pool, interval) = (place(lease.pool.as_str()), lease.interval);
                // Another state of the same batch may have had it before.
                given[pool].put(interval);
                self.out[pool].insert(id.clone(), interval);
                let told = Told {
                    pool,
                    interval,
                    acquired: revision,
                    released: None,
                };
                assert!(self.leases.insert(id, told).is_none(), "acquired twice");
            }
            Write::Delete(_) => {
                let told = self.leases.get_mut(&id).expect("it was acquired");
                assert!(told.released.replace(revision).is_none(), "released twice");
                self.out[told.pool].remove(&id);
            }
        }
    }

    /// What is free and what is out are the pool, and nothing is both; the head says so, too.
    fn check(&mut self, pool: usize, head: Option<Pool>, given: State) {
        let (name, size) = POOLS[pool];
        let moments = &mut self.moments[pool];
        let revision = self.last;
        moments.last_mut().unwrap().next = given;
        let Some(head) = head else {
            let before = moments.last().unwrap().free;
            assert_eq!(given, State::EMPTY, "acquired without a word to the head");
            let next = State::EMPTY;
            return moments.push(Moment { free: before, next });
        };
        let mut free = State::EMPTY;
        for interval in self.free[pool].values() {
            assert!(free.put(*interval), "{name} at {revision}: free twice");
        }
        let mut all = free;
        for (lease, interval) in &self.out[pool] {
            assert!(
                all.put(*interval),
                "{name} at {revision}: {lease} is out and not alone"
            );
        }
        let whole = State::of(Interval::new(0, size - 1).unwrap());
        assert_eq!(all, whole, "{name} at {revision}: something is lost");
        assert_eq!(
            head.acquired,
            self.out[pool].len() as u64,
            "{name} at {revision}"
        );
        let sums = metal_edge::ipam::Counters::of(self.free[pool].values());
        assert_eq!(head.counters, sums, "{name} at {revision}");
        let next = State::EMPTY;
        moments.push(Moment { free, next });
    }
}

fn place(pool: &str) -> usize {
    let place = POOLS.iter().position(|(name, _)| *name == pool);
    place.unwrap_or_else(|| panic!("pool {pool}"))
}
