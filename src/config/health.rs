use std::time::Duration;

use super::{ByteSize, reader::Reader};

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

// === impl Health ===

impl Health {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let ms = Duration::from_millis;
        let health = Self {
            interval: reader.within("health.interval", ms(10)..=ms(60_000)),
            fall: reader.within("health.fall", 1..=100),
            rise: reader.within("health.rise", 1..=1000),
            timeout: reader.within("health.timeout", ms(10)..=ms(60_000)),
            valid_for: reader.within("health.valid-for", ms(50)..=ms(600_000)),
            min_free: reader.get("health.min-free"),
        };
        if health.valid_for <= health.interval {
            let what = "must be longer than health.interval, or every verdict expires";
            reader.problem("health.valid-for", what);
        }
        health
    }
}
