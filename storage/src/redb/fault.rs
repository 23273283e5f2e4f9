use crate::error::Error;

/// Why something on the file did not work.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file, or the database on it, must be opened again.
    Medium(String),
    /// Nothing is open, because of this.
    Down(String),
    /// The file has this older format.
    Old(u32),
    /// The request was answered with an error, and the file is well.
    Refused(Error),
}

// === impl Fault ===

impl Fault {
    /// The error that a reader gets.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Medium(reason) | Self::Down(reason) => Error::Unavailable { reason },
            Self::Old(format) => Error::Invalid(format!(
                "the store has format {format}, and only a file, opened by its path, is migrated"
            )),
            Self::Refused(error) => error,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(cause) => Self::Refused(Error::Corrupt {
                what: "the store's file".into(),
                cause,
            }),
            // What redb says of a file that is none of its own.
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Refused(Error::Corrupt {
                    what: "the store's file".into(),
                    cause: error.to_string(),
                })
            }
            error => Self::Medium(error.to_string()),
        }
    }
}

macro_rules! from_redb {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Fault {
            fn from(error: $kind) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);
