use std::fmt;
use std::sync::Arc;

use crate::error::{Result, invalid};
use crate::limits::ID_BYTES;
use crate::name::Name;
use crate::scope::Scope;

/// Where a record is: its scope, its table, its id.
///
/// Ids are ordered by their bytes in every backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    scope: Scope,
    table: Name,
    id: Arc<str>,
}

// === impl Key ===

impl Key {
    /// The key of record `id` of `table` in `scope`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) unless the id has 1 to 512 bytes, none of them
    /// NUL.
    pub fn new(scope: Scope, table: Name, id: &str) -> Result<Self> {
        if id.is_empty() || id.len() > ID_BYTES || id.contains('\0') {
            return Err(invalid!(
                "an id of table {table} has 1 to {ID_BYTES} bytes, none of them NUL; this one has {}",
                id.len()
            ));
        }
        Ok(Self {
            scope,
            table,
            id: id.into(),
        })
    }

    /// The scope that owns the record.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The table that the record is in.
    pub fn table(&self) -> &Name {
        &self.table
    }

    /// The record's id, unique in its table and scope.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn size(&self) -> usize {
        self.table.as_str().len() + self.id.len()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.scope, self.table, self.id)
    }
}
