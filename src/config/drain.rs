use std::time::Duration;

use super::reader::Reader;

/// `[drain]`: how the node leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long the prefixes are announced with GRACEFUL_SHUTDOWN (RFC 8326)
    /// before they are withdrawn.
    pub graceful_shutdown: Duration,
    /// How long requests in flight may take to finish after the withdrawal.
    pub timeout: Duration,
}

// === impl Drain ===

impl Drain {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let bounds = Duration::ZERO..=Duration::from_secs(600);
        Self {
            graceful_shutdown: reader.within("drain.graceful-shutdown", bounds.clone()),
            timeout: reader.within("drain.timeout", bounds),
        }
    }
}
