use super::{Interval, PoolId, Want};

/// One change of one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Takes something out of a pool.
    Acquire {
        /// The pool.
        pool: PoolId,
        /// What.
        want: Want,
    },
    /// Puts back what was acquired, exactly as it was: the pool does not remember where one
    /// acquired thing ends and the next begins.
    Release {
        /// The pool.
        pool: PoolId,
        /// What.
        interval: Interval,
    },
    /// Adds values to a pool that it has not; they are free.
    Grow {
        /// The pool.
        pool: PoolId,
        /// What.
        interval: Interval,
    },
    /// Removes values from a pool that are all free.
    Shrink {
        /// The pool.
        pool: PoolId,
        /// What.
        interval: Interval,
    },
    /// Makes a pool.
    Create {
        /// Its name, of no other pool of the scope.
        pool: PoolId,
        /// The values that it consists of. They may touch, but not overlap.
        spans: Vec<Interval>,
        /// Those of them that are never handed out. They may touch, but not overlap.
        reserved: Vec<Interval>,
    },
    /// Deletes a pool from which nothing is acquired.
    Delete {
        /// The pool.
        pool: PoolId,
    },
}

// === impl Move ===

impl Move {
    /// The pool that it changes.
    pub fn pool(&self) -> &PoolId {
        match self {
            Self::Acquire { pool, .. }
            | Self::Release { pool, .. }
            | Self::Grow { pool, .. }
            | Self::Shrink { pool, .. }
            | Self::Create { pool, .. }
            | Self::Delete { pool } => pool,
        }
    }
}
