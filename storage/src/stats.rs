use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::revision::Revision;

/// Upper bounds of the buckets of [`Stats::latency`], in seconds. The last bucket has none.
pub const LATENCY_BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Figures of a store since it was opened. Counters never go back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Commits acknowledged.
    pub committed: u64,
    /// Commits refused because of a guard or a unique value.
    pub conflicted: u64,
    /// Commits refused because of a rule or a bound.
    pub invalid: u64,
    /// Commits that did not happen because of the store.
    pub unavailable: u64,
    /// Commits of which it was unknown whether they happened.
    pub unknown: u64,
    /// Groups made durable; commits per group is `batches / groups`.
    pub groups: u64,
    /// Batches in those groups, those that were refused included.
    pub batches: u64,
    /// Groups, and reads, tried again, because another node came between or the database was
    /// away.
    pub retries: u64,
    /// Faults of the medium.
    pub faults: u64,
    /// Times that the database was opened again after one.
    pub recoveries: u64,
    /// Commits that wait now.
    pub waiting: u64,
    /// Commits answered, by how long that took: one count for each of [`LATENCY_BOUNDS`] and one
    /// for what took longer. Not cumulative.
    pub latency: [u64; LATENCY_BOUNDS.len() + 1],
    /// Seconds that all of them took.
    pub latency_sum: f64,
}

/// What a backend counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    committed: AtomicU64,
    conflicted: AtomicU64,
    invalid: AtomicU64,
    unavailable: AtomicU64,
    unknown: AtomicU64,
    groups: AtomicU64,
    batches: AtomicU64,
    retries: AtomicU64,
    faults: AtomicU64,
    recoveries: AtomicU64,
    latency: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    latency_nanos: AtomicU64,
}

// === impl Counters ===

impl Counters {
    pub(crate) fn commit(&self, result: &Result<Revision>, took: Duration) {
        let counter = match result {
            Ok(_) => &self.committed,
            Err(Error::Conflict(_) | Error::Taken(_)) => &self.conflicted,
            Err(Error::Invalid(_)) => &self.invalid,
            Err(Error::Unknown(_)) => &self.unknown,
            Err(_) => &self.unavailable,
        };
        counter.fetch_add(1, Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = LATENCY_BOUNDS.partition_point(|bound| *bound < seconds);
        self.latency[bucket].fetch_add(1, Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latency_nanos.fetch_add(nanos, Relaxed);
    }

    pub(crate) fn group(&self, batches: usize) {
        self.groups.fetch_add(1, Relaxed);
        self.batches.fetch_add(batches as u64, Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn fault(&self) {
        self.faults.fetch_add(1, Relaxed);
    }

    pub(crate) fn recovery(&self) {
        self.recoveries.fetch_add(1, Relaxed);
    }

    pub(crate) fn stats(&self, waiting: usize) -> Stats {
        Stats {
            committed: self.committed.load(Relaxed),
            conflicted: self.conflicted.load(Relaxed),
            invalid: self.invalid.load(Relaxed),
            unavailable: self.unavailable.load(Relaxed),
            unknown: self.unknown.load(Relaxed),
            groups: self.groups.load(Relaxed),
            batches: self.batches.load(Relaxed),
            retries: self.retries.load(Relaxed),
            faults: self.faults.load(Relaxed),
            recoveries: self.recoveries.load(Relaxed),
            waiting: waiting as u64,
            latency: std::array::from_fn(|i| self.latency[i].load(Relaxed)),
            latency_sum: Duration::from_nanos(self.latency_nanos.load(Relaxed)).as_secs_f64(),
        }
    }
}
