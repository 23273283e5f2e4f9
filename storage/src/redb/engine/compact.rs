//! Making the file smaller.

use redb::Database;

use super::{Engine, close};
use crate::error::{Error, Result};
use crate::redb::compaction::Compaction;
use crate::redb::copy;
use crate::redb::fault::Fault;
use crate::redb::layout::FORMAT;

/// Bytes of a file that is worth making smaller.
const WORTH: u64 = 16 * 1024 * 1024;

// === impl Engine ===

impl Engine {
    /// Copies the file into a smaller one, if that pays.
    pub(in crate::redb) fn compact(&mut self) -> Result<Compaction> {
        let unavailable = |reason| Error::Unavailable { reason };
        self.ready().map_err(unavailable)?;
        let (Some(path), Some((database, _))) = (self.path.clone(), self.open.clone()) else {
            return Err(Error::Invalid("only a file has a size to spare".into()));
        };
        let before = self.medium.len().map_err(|e| unavailable(e.to_string()))?;
        let stored = stored(&database).map_err(Fault::into_error)?;
        if before < WORTH || stored > before / 2 {
            let after = before;
            return Ok(Compaction { before, after });
        }
        if stored > self.options.compact_bytes {
            return Err(Error::Invalid(format!(
                "{stored} bytes are stored, and commits may wait for at most {} to be copied",
                self.options.compact_bytes
            )));
        }
        let cache = self.options.cache_bytes;
        let medium = copy::to_new_file(&path, &database, FORMAT, cache);
        let medium = medium.map_err(Fault::into_error)?;
        drop(database);
        // The old file has no name any more, so nothing may be written to it; who still reads it
        // may finish.
        let old = self.open.take();
        self.medium = medium;
        self.committed(true);
        self.reopen().map_err(unavailable)?;
        if let Some((database, _)) = old {
            close(database);
        }
        let after = self.medium.len().map_err(|e| unavailable(e.to_string()))?;
        tracing::info!(before, after, "the store's file was compacted");
        Ok(Compaction { before, after })
    }
}

/// Bytes that a copy of the database would have, about.
fn stored(database: &Database) -> Result<u64, Fault> {
    let txn = database.begin_write()?;
    let stats = txn.stats()?;
    txn.abort()?;
    Ok(stats.allocated_pages() * stats.page_size() as u64)
}
