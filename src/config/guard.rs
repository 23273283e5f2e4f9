use std::time::Duration;

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
