use sqlx::Error as Driver;

use crate::error::Error;

/// Why a statement, or a whole transaction, did not work.
#[derive(Debug)]
pub(super) enum Fault {
    /// The engine wants the whole transaction again: another came between.
    Again(String),
    /// The connection broke, or did not answer in time.
    Lost(String),
    /// It will not work now, whatever the statement.
    Down(String),
    /// A table, a column or the database is not there.
    Missing(String),
    /// This statement will not work on this engine; others do.
    Refused(String),
    /// The answer is this error, and the database is well.
    Answer(Error),
}

// === impl Fault ===

impl Fault {
    /// A word for logs.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Again(_) => "conflict",
            Self::Lost(_) => "lost",
            Self::Down(_) => "down",
            Self::Missing(_) => "missing",
            Self::Refused(_) => "refused",
            Self::Answer(_) => "answer",
        }
    }

    /// The cause, for logs and operators.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Again(reason)
            | Self::Lost(reason)
            | Self::Down(reason)
            | Self::Missing(reason)
            | Self::Refused(reason) => reason.clone(),
            Self::Answer(error) => error.to_string(),
        }
    }

    /// What a caller is told if nothing was changed.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Answer(error) => error,
            Self::Refused(reason) => Error::Invalid(reason),
            fault => Error::Unavailable {
                reason: fault.reason(),
            },
        }
    }

    /// Whether a COMMIT that failed with this certainly did nothing.
    pub(super) fn is_rollback(&self) -> bool {
        matches!(self, Self::Again(_))
    }

    pub(super) fn timeout(what: &str) -> Self {
        Self::Lost(format!("{what} took too long"))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Answer(error)
    }
}

impl From<Driver> for Fault {
    fn from(error: Driver) -> Self {
        match error {
            Driver::Database(refused) => {
                let code = refused.code().unwrap_or_default().into_owned();
                let said = format!("{} ({code})", refused.message());
                match code.as_str() {
                    "40001" | "40P01" | "40002" => Self::Again(said),
                    // Another node made or changed the same table at the same time.
                    "42P07" | "42710" => Self::Again(said),
                    "XX000" if said.contains("concurrently") => Self::Again(said),
                    // A plan that an earlier migration left behind: another connection has none.
                    "0A000" if said.contains("cached plan") => Self::Lost(said),
                    // 40003 may have been committed; 57014 is the statement's timeout.
                    "40003" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
                        Self::Lost(said)
                    }
                    "25006" => Self::Down(format!("the database is read-only: {said}")),
                    "42P01" | "42703" => {
                        Self::Missing(format!("the database is not migrated: {said}"))
                    }
                    "3D000" => Self::Missing(said),
                    // What is stored is none of a log's business: the code alone.
                    code if code.starts_with("22") || code.starts_with("23") => {
                        Self::Refused(format!("the database refused what was written ({code})"))
                    }
                    code if code.starts_with("54") => Self::Refused(said),
                    code if code.starts_with("08") => Self::Lost(said),
                    _ => Self::Down(said),
                }
            }
            Driver::Io(error) => Self::Lost(error.to_string()),
            Driver::PoolTimedOut => {
                Self::Down("no connection to the database in the time that one waits".into())
            }
            Driver::PoolClosed => Self::Answer(crate::heads::closed()),
            Driver::Tls(error) => Self::Down(format!("TLS with the database: {error}")),
            Driver::Protocol(said) => Self::Lost(said),
            Driver::ColumnDecode { index, source } => Self::Answer(Error::Corrupt {
                what: format!("column {index} of an answer of the database"),
                cause: source.to_string(),
            }),
            other => Self::Down(other.to_string()),
        }
    }
}
