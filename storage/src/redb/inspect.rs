use std::path::Path;

use redb::{DatabaseError, ReadOnlyDatabase, StorageError};

use super::Redb;
use super::fault::Fault;
use super::file;
use super::layout::FORMAT;
use crate::error::{Error, Result};

// === impl Redb ===

impl Redb {
    /// The format that this version writes. A file of an older one is brought to it when it is
    /// opened.
    pub const FORMAT: u32 = FORMAT;

    /// The format of a file that no process has open, found without changing it; `None` if that
    /// shows only when the file is opened, which repairs what a crash has left. Costs a few reads.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) if a newer version wrote it, [`Corrupt`](Error::Corrupt) if it
    /// is no store, [`Unavailable`](Error::Unavailable) if it cannot be read, or is in use.
    pub fn format_of(path: impl AsRef<Path>) -> Result<Option<u32>> {
        let path = path.as_ref();
        let unavailable = |error: &dyn std::fmt::Display| Error::Unavailable {
            reason: format!("cannot open {}: {error}", path.display()),
        };
        let corrupt = |error: &dyn std::fmt::Display| Error::Corrupt {
            what: path.display().to_string(),
            cause: error.to_string(),
        };
        let found = std::fs::metadata(path).map_err(|error| unavailable(&error))?;
        if found.len() == 0 {
            return Err(corrupt(&"it is empty"));
        }
        let database = match ReadOnlyDatabase::open(path) {
            Ok(database) => database,
            Err(DatabaseError::RepairAborted) => return Ok(None),
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(unavailable(&"it is in use by another process"));
            }
            Err(DatabaseError::Storage(StorageError::Io(error)))
                if error.kind() != std::io::ErrorKind::InvalidData
                    && error.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                return Err(unavailable(&error));
            }
            Err(error) => return Err(corrupt(&error)),
        };
        match file::check_format(&database) {
            Ok(()) => Ok(Some(FORMAT)),
            Err(Fault::Old(older)) => Ok(Some(older)),
            Err(fault) => Err(fault.into_error()),
        }
    }
}
