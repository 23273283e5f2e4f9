use std::fmt;

use super::{Counters, Interval};

/// What is wrong with a pool as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The pool, or what stands in its place in the id of a free interval.
    pub pool: String,
    /// What it is.
    pub kind: FlawKind,
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// There are free intervals and no head.
    NoHead,
    /// The spans or reserved intervals are not in order, overlap or touch.
    Spans,
    /// The size is not that of the spans.
    Size {
        /// What the head says.
        said: u128,
        /// What the spans have.
        found: Option<u128>,
    },
    /// A reserved interval is in no span.
    Reserved(Interval),
    /// A free interval has another end than its id says, or has none.
    Id(String),
    /// A free interval is not in a span.
    Outside(Interval),
    /// A free interval has reserved values.
    NotReserved(Interval),
    /// Two free intervals overlap.
    Overlap(Interval, Interval),
    /// Two free intervals touch: they should be one.
    Unmerged(Interval, Interval),
    /// A free interval is not found by the size of its largest block.
    Column(Interval),
    /// The sums are not those over the free intervals.
    Counters {
        /// What the head says.
        said: Box<Counters>,
        /// What the intervals give.
        found: Box<Counters>,
    },
    /// Something is acquired and nothing is missing, the other way round, or more is acquired than
    /// is missing.
    Acquired {
        /// What the head says.
        said: u64,
        /// Values that are neither free nor reserved.
        missing: u128,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pool {}: {}", self.pool, self.kind)
    }
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHead => f.write_str("free intervals without a head"),
            Self::Spans => f.write_str("its spans are not disjoint, merged and in order"),
            Self::Size { said, found: None } => {
                write!(f, "its size is said to be {said} and cannot be")
            }
            Self::Size {
                said,
                found: Some(found),
            } => write!(f, "its size is said to be {said} and is {found}"),
            Self::Reserved(interval) => write!(f, "reserved {interval} is in none of its spans"),
            Self::Id(id) => write!(f, "free interval {id:?} does not have the id of its end"),
            Self::Outside(interval) => write!(f, "free {interval} is in none of its spans"),
            Self::NotReserved(interval) => write!(f, "free {interval} has reserved values"),
            Self::Overlap(one, other) => write!(f, "free {one} and {other} overlap"),
            Self::Unmerged(one, other) => write!(f, "free {one} and {other} are not merged"),
            Self::Column(interval) => write!(f, "free {interval} is indexed by another size"),
            Self::Counters { said, found } => {
                write!(f, "its sums are said to be {said:?} and are {found:?}")
            }
            Self::Acquired { said, missing } => {
                write!(
                    f,
                    "{said} are said to be acquired, {missing} values are missing"
                )
            }
        }
    }
}
