use std::time::Duration;

use super::{ByteSize, reader::Reader};

/// `[audit]`: the trail of what was changed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Entries that are older are forgotten, within about an hour.
    pub max_age: Duration,
    /// So many entries are kept, about, of callers who proved who they are; and a tenth of that
    /// of others.
    pub max_entries: u32,
    /// So much of a body is recorded.
    pub max_body: ByteSize,
    /// So many entries wait to be written; more are dropped, and counted.
    pub queue: usize,
}

// === impl Audit ===

impl Audit {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let bodies = ByteSize::new(256)..=ByteSize::new(64 << 10);
        let queue: u32 = reader.within("audit.queue", 64..=65_536);
        Self {
            max_age: reader.within("audit.max-age", hours(1)..=hours(24 * 3650)),
            max_entries: reader.within("audit.max-entries", 1_000..=10_000_000),
            max_body: reader.within("audit.max-body", bodies),
            queue: usize::try_from(queue).unwrap_or(usize::MAX),
        }
    }
}
