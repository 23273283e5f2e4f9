use std::time::Duration;

use super::ByteSize;

/// `[health]`: the probes, and how they become a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// From one round of probes to the next.
    pub interval: Duration,
    /// So many failed rounds in a row make the verdict down, 1 to 100.
    pub fall: u32,
    /// So many good rounds in a row make it healthy again, 1 to 1000.
    pub rise: u32,
    /// A probe without an answer after this has failed.
    pub timeout: Duration,
    /// How long a verdict holds unless renewed; longer than `interval`.
    pub valid_for: Duration,
    /// Less free space than this in the data directory fails the store probe.
    pub min_free: ByteSize,
}
