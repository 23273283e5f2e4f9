//! Trying again after a conflict with another change.

use std::time::Duration;

use metal_storage::Key;
use uuid::Uuid;

/// Tries of one operation at most.
const TRIES: u32 = 50;
/// Longest wait between two tries, milliseconds.
const LONGEST_WAIT: u64 = 50;

/// The tries of one operation: bounded, with jittered waits, each named in the log.
pub(crate) struct Retry {
    operation: &'static str,
    tried: u32,
}

/// There were enough tries.
#[derive(Debug)]
pub(crate) struct GaveUp;

// === impl Retry ===

impl Retry {
    pub fn new(operation: &'static str) -> Self {
        Self {
            operation,
            tried: 0,
        }
    }

    /// Waits before the next try after a conflict on `key`, unless there were enough.
    pub async fn after(&mut self, key: &Key) -> Result<(), GaveUp> {
        self.tried += 1;
        if self.tried >= TRIES {
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
