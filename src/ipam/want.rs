use std::fmt;

use super::Interval;

/// What to take from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The lowest free value.
    Any,
    /// This value.
    Value(u128),
    /// `2^bits` values that begin at a multiple of their number: a child prefix. From the free
    /// interval whose largest aligned block is the smallest that is large enough, the lowest among
    /// equals; in it, what [`Interval::best`] says.
    Aligned {
        /// 0 to 128.
        bits: u8,
    },
    /// These values, all of them.
    Range(Interval),
    /// So many values in a row, or as many as there are, at least one: the lowest of the lowest
    /// free interval.
    UpTo(u128),
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::Value(value) => write!(f, "value {value:x}"),
            Self::Aligned { bits } => write!(f, "an aligned block of 2^{bits} values"),
            Self::UpTo(most) => write!(f, "up to {most} values"),
            Self::Range(interval) => write!(f, "the values {interval}"),
        }
    }
}
