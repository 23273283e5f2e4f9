use std::time::Duration;

use super::reader::Reader;

/// `[guard]`: what ends a process that hangs. Under systemd its watchdog does
/// this, with the unit's `WatchdogSec` in place of `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Off only for debuggers (`serve --no-guard`).
    pub enabled: bool,
    /// From one beat of the service to the next.
    pub beat: Duration,
    /// Without a beat for this long the service is killed and started again.
    /// At least twice `beat`.
    pub limit: Duration,
}

// === impl Guard ===

impl Guard {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let ms = Duration::from_millis;
        let guard = Self {
            enabled: reader.get("guard.enabled"),
            beat: reader.within("guard.beat", ms(10)..=ms(10_000)),
            limit: reader.within("guard.limit", ms(100)..=ms(60_000)),
        };
        if guard.limit < guard.beat * 2 {
            reader.problem("guard.limit", "must be at least twice guard.beat");
        }
        guard
    }
}
