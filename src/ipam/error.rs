use metal_storage::{Error, Key};

use super::{Interval, PoolId, Want};

/// Why moves were not carried out. None of them was; only after [`IpamError::Store`] with an
/// unknown outcome all may have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpamError {
    /// Nothing in the pool is free that would do.
    #[error(
        "pool {pool} cannot give {want}: {free} of its {size} values are free{}",
        blocks(.largest)
    )]
    Exhausted {
        /// The pool.
        pool: PoolId,
        /// What was wanted.
        want: Want,
        /// Values that are free.
        free: u128,
        /// Values that it consists of.
        size: u128,
        /// The largest aligned block that is free has 2 to the power of this values.
        largest: Option<u8>,
    },

    /// A value of these is acquired already.
    #[error("{interval} of pool {pool} is acquired already, at least in part")]
    Taken {
        /// The pool.
        pool: PoolId,
        /// What was wanted.
        interval: Interval,
    },

    /// A value of these is never handed out, such as a broadcast address.
    #[error("{interval} of pool {pool} is reserved, at least in part")]
    Reserved {
        /// The pool.
        pool: PoolId,
        /// What was wanted.
        interval: Interval,
    },

    /// The pool does not consist of these values, or not of all of them.
    #[error("{interval} is not in pool {pool}, or not as a whole")]
    Outside {
        /// The pool.
        pool: PoolId,
        /// What was named.
        interval: Interval,
    },

    /// What is to be released is not acquired, or not as a whole.
    #[error("{interval} of pool {pool} is not acquired, or not as a whole")]
    NotTaken {
        /// The pool.
        pool: PoolId,
        /// What was to be released.
        interval: Interval,
    },

    /// The pool has a value already that is to be added.
    #[error("pool {pool} has values of {interval} already")]
    Overlap {
        /// The pool.
        pool: PoolId,
        /// What was to be added.
        interval: Interval,
    },

    /// There is a pool of this name already.
    #[error("there is a pool {0} already")]
    Exists(PoolId),

    /// There is no such pool.
    #[error("there is no pool {0}")]
    NoPool(PoolId),

    /// The pool cannot be deleted.
    #[error("pool {pool} is in use: {acquired} are acquired")]
    InUse {
        /// The pool.
        pool: PoolId,
        /// What is acquired and not released.
        acquired: u64,
    },

    /// A guard of the caller's own did not hold.
    #[error("{0} was changed meanwhile")]
    Conflict(Key),

    /// The request breaks a rule or a bound, and would at any time.
    #[error("{0}")]
    Invalid(String),

    /// Too much waits, or other nodes were faster every time. Try again later.
    #[error("too many changes at once: {0}")]
    TooBusy(String),

    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] Error),
}

fn blocks(bits: &Option<u8>) -> String {
    match bits {
        Some(bits) => format!(", in aligned blocks of 2^{bits} at the most"),
        None => String::new(),
    }
}
