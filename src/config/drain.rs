use std::time::Duration;

/// `[drain]`: how the node leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long the prefixes are announced with GRACEFUL_SHUTDOWN (RFC 8326)
    /// before they are withdrawn.
    pub graceful_shutdown: Duration,
    /// How long requests in flight may take to finish after the withdrawal.
    pub timeout: Duration,
}
