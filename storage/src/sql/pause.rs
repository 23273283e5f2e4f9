use std::time::Duration;

use uuid::Uuid;

/// The longest pause before something is tried again; the first is a 64th of it.
const PAUSE: Duration = Duration::from_millis(100);

/// Longer from attempt to attempt, and never the same on two nodes.
pub(super) fn pause(attempt: u32) -> Duration {
    let longest = PAUSE / 64 * 2_u32.pow(attempt.clamp(1, 7) - 1);
    let random = u32::try_from(Uuid::new_v4().as_u128() & 0xffff).unwrap_or(0);
    longest.min(PAUSE) / 0x1_0000 * random
}
