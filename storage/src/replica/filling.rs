use std::collections::HashMap;

use super::copy::Copy;
use crate::batch::Write;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::record::{Record, Stored};
use crate::redb::Copied;
use crate::revision::Revision;
use crate::scope::Scope;
use crate::snapshot::Sink;

/// Records that may be deleted while a scope is copied whole; each takes the memory of its key.
const GONE: usize = 100_000;

/// A copy into which a scope is read whole, while it is written to.
pub(super) struct Filling<'a> {
    copy: &'a Copy,
    scope: &'a Scope,
    /// What was deleted meanwhile, and when: a page asked for before that may still show it.
    gone: HashMap<Key, Revision>,
}

// === impl Filling ===

impl<'a> Filling<'a> {
    pub(super) fn new(copy: &'a Copy, scope: &'a Scope) -> Self {
        Self {
            copy,
            scope,
            gone: HashMap::new(),
        }
    }
}

impl Sink for Filling<'_> {
    type Error = Error;

    /// The changes begin with the one that made the first page's revision: its operation is what
    /// the authority is recognized by.
    async fn begin(&mut self, revision: Revision) -> Result<Revision> {
        Ok(revision.before())
    }

    async fn records(&mut self, mut records: Vec<Stored<Record>>) -> Result<()> {
        records.retain(|stored| {
            let gone = self.gone.get(&stored.value.key);
            gone.is_none_or(|gone| *gone < stored.version.revision())
        });
        self.copy
            .take(Copied {
                scope: self.scope.clone(),
                records,
                changes: Vec::new(),
            })
            .await
    }

    async fn change(&mut self, change: Change) -> Result<()> {
        for write in &change.writes {
            if let Write::Delete(key) = write {
                self.gone.insert(key.clone(), change.revision);
            }
        }
        if self.gone.len() > GONE {
            return Err(Error::Unavailable {
                reason: format!("more than {GONE} records were deleted while it was copied"),
            });
        }
        self.copy
            .take(Copied {
                scope: self.scope.clone(),
                records: Vec::new(),
                changes: vec![change],
            })
            .await
    }
}
