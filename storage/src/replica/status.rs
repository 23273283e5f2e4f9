use std::time::{Duration, Instant};

use crate::revision::Revision;

/// How a [`Replica`](super::Replica) is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The revision that it has; `None` before it has a first copy.
    pub revision: Option<Revision>,
    /// It has everything that was acknowledged this long ago, at the latest. `None` if that was
    /// never known. Across a restart, by the wall clock.
    pub age: Option<Duration>,
    /// Whether the authority is being followed now.
    pub following: bool,
    /// Times that the scope was copied whole since the replica was opened.
    pub copies: u64,
}

/// What a status is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Board {
    pub(super) revision: Option<Revision>,
    pub(super) proof: Option<Proof>,
    pub(super) following: bool,
    pub(super) copies: u64,
    pub(super) closed: bool,
}

/// That everything acknowledged before a moment is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    pub(super) at: Instant,
    /// How much earlier than `at` the moment was.
    pub(super) earlier: Duration,
}

// === impl Board ===

impl Board {
    pub(super) fn status(&self) -> ReplicaStatus {
        ReplicaStatus {
            revision: self.revision,
            age: self.proof.map(|proof| proof.at.elapsed() + proof.earlier),
            following: self.following,
            copies: self.copies,
        }
    }
}
