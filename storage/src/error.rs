use std::fmt;

use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::revision::Revision;
use crate::scope::Scope;
use crate::value::Value;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked; each variant is one thing that a caller can act on.
///
/// Only [`Error::Unknown`] leaves open whether anything was changed; after every other one
/// nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A guard did not hold: the record exists, is gone, or has another version. Read again and
    /// decide again.
    #[error("{0} was changed meanwhile")]
    Conflict(Key),

    /// Another record holds the value of a unique column. Choose another value.
    #[error("{0} is already taken")]
    Taken(Index),

    /// The changes asked for are no longer remembered; the revision is the oldest that can still
    /// be watched from. List, then watch from the revision of the list.
    #[error("the changes up to revision {0} are no longer remembered")]
    Compacted(Revision),

    /// The scope has not reached the revision asked for in the time that one waits for it. Ask
    /// its owner, or accept an older answer.
    #[error("{scope} is at revision {reached}, which is before the revision asked for")]
    Behind {
        /// The scope asked.
        scope: Scope,
        /// The revision that it is at.
        reached: Revision,
    },

    /// The store cannot do this now, and has done nothing. Try again later.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// The cause, for an operator.
        reason: String,
    },

    /// It is unknown whether the commit happened. Repeat it with the same operation id.
    #[error("it is unknown whether operation {0} happened")]
    Unknown(OpId),

    /// What is stored cannot be read. An operator must look; nothing else is affected.
    #[error("{what} is corrupt: {cause}")]
    Corrupt {
        /// The record, by its key, or the file.
        what: String,
        /// What is wrong with it.
        cause: String,
    },

    /// The request breaks a rule or a bound, and would at any time. A bug of the caller, or a
    /// input that it should have refused.
    #[error("{0}")]
    Invalid(String),
}

/// The value of a unique column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The scope in which it is unique.
    pub scope: Scope,
    /// The table in which it is unique.
    pub table: Name,
    /// The column.
    pub column: Name,
    /// The value that is taken.
    pub value: Value,
}

// === impl Index ===

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of table {}", self.column, self.value, self.table)
    }
}

/// An [`Error::Invalid`] with a formatted text.
macro_rules! invalid {
    ($($arg:tt)*) => { $crate::Error::Invalid(format!($($arg)*)) };
}
pub(crate) use invalid;
