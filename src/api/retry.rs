//! Trying again after a conflict, for a request: 503 when there were enough tries.

use metal_storage::Key;

use super::ApiError;
use crate::retry;

/// The tries of one operation: those of [`retry::Retry`].
pub(super) struct Retry(retry::Retry);

// === impl Retry ===

impl Retry {
    pub fn new(operation: &'static str) -> Self {
        Self(retry::Retry::new(operation))
    }

    /// Waits before the next try after a conflict on `key`; 503 when there were enough.
    pub async fn after(&mut self, key: &Key) -> Result<(), ApiError> {
        self.0.after(key).await.map_err(|retry::GaveUp| {
            ApiError::unavailable(format!(
                "too many changes at once of {} {:?}, nothing was changed: try again",
                key.table(),
                key.id()
            ))
        })
    }
}
