use std::io;

use crate::revision::Revision;
use crate::scope::Scope;

/// The result of everything about backups.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no backup, or it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A store refused, or failed.
    #[error(transparent)]
    Store(#[from] crate::Error),

    /// So much is written that the changes cannot be kept up with; try when there is less.
    #[error(
        "{scope} was written to more often than a backup can follow, {writes} times since revision \
         {since}: try again when it is quieter, or to a faster destination"
    )]
    Busy {
        /// The scope.
        scope: Scope,
        /// Where the backup of it began.
        since: Revision,
        /// Writes since then.
        writes: u64,
    },

    /// The backup cannot be written.
    #[error("cannot write the backup: {0}")]
    Write(#[source] io::Error),

    /// The backup cannot be read.
    #[error("cannot read the backup: {0}")]
    Read(#[source] io::Error),

    /// It is something else.
    #[error("this is no backup of a store")]
    Foreign,

    /// It was made by a newer version of the product. Use that one.
    #[error(
        "the backup was made by {by} in format {found}, and this version reads up to format \
         {known}: restore it with the version that made it, or a newer one"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that can be read.
        known: u32,
        /// Who made it.
        by: String,
    },

    /// It ends too early.
    #[error("the backup is truncated: it ends after line {lines}")]
    Truncated {
        /// Whole lines that are there.
        lines: u64,
    },

    /// It is not what was written.
    #[error("the backup is damaged at line {line}: {cause}")]
    Damaged {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        cause: String,
    },

    /// It has a table that the product does not have, or has with other columns.
    #[error("the backup, made by {by}, does not fit: {cause}")]
    Schema {
        /// Who made it.
        by: String,
        /// What does not fit.
        cause: String,
    },

    /// The backup and what was asked for name different scopes.
    #[error("{0}")]
    Scope(String),

    /// There is something in the target. Choose another one, or have it replaced.
    #[error("{scope} of the target is not empty: it has records in table {table}")]
    NotEmpty {
        /// The scope.
        scope: Scope,
        /// The first table that has records.
        table: String,
    },

    /// What was written before it failed is there. Restore again, replacing it.
    #[error("the target is restored in part, {records} records: {cause}")]
    InPart {
        /// Records written.
        records: u64,
        /// What went wrong.
        cause: Box<Error>,
    },

    /// The destination cannot be used.
    #[error("{place}: {cause}")]
    Place {
        /// The destination.
        place: String,
        /// What is wrong with it.
        cause: String,
    },
}
