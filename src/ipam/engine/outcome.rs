//! Committing a batch, and what follows from its outcome.

use std::collections::HashMap;

use metal_storage::{Batch, Entity, Error, Result, Version};

use super::{Engine, Round};
use crate::commit::commit;
use crate::ipam::request::Applied;
use crate::ipam::sheet::Sheet;
use crate::ipam::{IpamError, Pool, PoolId};

// === impl Engine ===

impl Engine {
    /// Commits a batch and answers those in it that are done, or cannot be. True if it was
    /// committed; then every pool that it changed was as it was known to be.
    pub(super) async fn commit(
        &mut self,
        sheet: Sheet,
        round: &mut Round,
        confirmed: &mut HashMap<PoolId, bool>,
    ) -> bool {
        let outcome = match self.batch(&sheet) {
            Ok(batch) => commit(&self.store, batch).await,
            Err(error) => Err(error),
        };
        let revision = match outcome {
            Ok(revision) => revision,
            Err(error) => {
                self.failed(sheet, error, round);
                return false;
            }
        };
        self.metrics.batches.inc();
        let changed = self.views.committed(Version::from(revision));
        confirmed.extend(changed.into_iter().map(|pool| (pool, true)));
        for entry in sheet.into_entries() {
            round.answered += 1;
            let intervals = entry.intervals;
            let applied = Applied {
                intervals,
                revision,
            };
            self.answer(entry.request, Ok(applied));
        }
        true
    }

    /// A batch was not committed, or may not have been.
    fn failed(&mut self, sheet: Sheet, error: Error, round: &mut Round) {
        match error {
            Error::Unknown(_) => self.views.doubt(),
            _ => self.views.reset(),
        }
        let alone = sheet.len() == 1;
        let guilty = match &error {
            Error::Conflict(key) if key.table().as_str() == Pool::SCHEMA.table() => {
                self.views.forget(key.id());
                round.stale = Some(key.clone());
                let entries = sheet.into_entries();
                round
                    .again
                    .extend(entries.into_iter().map(|entry| entry.request));
                return;
            }
            Error::Conflict(key) => sheet.guarding(key),
            Error::Taken(index) => sheet.holding(index),
            _ => None,
        };
        let refused = match error {
            Error::Conflict(key) => IpamError::Conflict(key),
            error => IpamError::Store(error),
        };
        let of_one = matches!(
            refused,
            IpamError::Store(Error::Invalid(_) | Error::Taken(_))
        );
        for (place, entry) in sheet.into_entries().into_iter().enumerate() {
            let mut request = entry.request;
            match guilty {
                Some(guilty) if guilty != place => round.again.push(request),
                None if of_one && !alone => {
                    request.alone = true;
                    round.again.push(request);
                }
                _ => {
                    round.answered += 1;
                    self.answer(request, Err(refused.clone()));
                }
            }
        }
    }

    fn batch(&self, sheet: &Sheet) -> Result<Batch> {
        let mut batch = Batch::new(self.views.scope().clone());
        self.views.write(&mut batch)?;
        sheet.write(&mut batch);
        Ok(batch)
    }
}
