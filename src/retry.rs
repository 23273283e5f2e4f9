//! Trying again after a conflict with another change.

use std::time::Duration;

use metal_storage::Key;
use uuid::Uuid;

/// Tries of one operation at most, unless told otherwise.
const TRIES: u32 = 50;
/// Longest wait between two tries, milliseconds.
const LONGEST_WAIT: u64 = 50;

/// The tries of one operation: bounded, with jittered waits, each named in the log.
pub(crate) struct Retry {
    operation: &'static str,
    most: u32,
    tried: u32,
}

/// There were enough tries.
#[derive(Debug)]
pub(crate) struct GaveUp;

// === impl Retry ===

impl Retry {
    pub fn new(operation: &'static str) -> Self {
        Self::with_tries(operation, TRIES)
    }

    /// So many tries at most.
    pub fn with_tries(operation: &'static str, most: u32) -> Self {
        Self {
            operation,
            most,
            tried: 0,
        }
    }

    /// Waits before the next try after a conflict on `key`, unless there were enough.
    pub async fn after(&mut self, key: &Key) -> Result<(), GaveUp> {
        self.tried += 1;
        if self.tried >= self.most {
            tracing::warn!(operation = self.operation, %key, tries = self.tried, "gave up");
            return Err(GaveUp);
        }
        let most = LONGEST_WAIT.min(1 << self.tried.min(16));
        let wait = Uuid::new_v4().as_u64_pair().0 % (most * 1000);
        tracing::debug!(operation = self.operation, %key, try_ = self.tried, "trying again");
        tokio::time::sleep(Duration::from_micros(wait)).await;
        Ok(())
    }
}
