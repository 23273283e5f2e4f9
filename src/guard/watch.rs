use std::time::{Duration, Instant};

/// How long a process may take from its start to its first beat. Generous, as
/// it announces nothing yet and may be repairing a large store.
const STARTUP_LIMIT: Duration = Duration::from_secs(300);
/// How long a process may take from its last word to its end.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// When a process counts as hung. No I/O and no clock: told the time.
#[derive(Debug)]
pub(super) struct Watch {
    limit: Duration,
    phase: Phase,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Beating,
    Stopping,
}

/// What a process says over the socket, a byte each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Alive.
    Beat,
    /// The heart stops on purpose; the process ends next.
    Stop,
}

// === impl Watch ===

impl Watch {
    /// Of a process started at `now`, that must beat once per `limit`.
    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self {
            limit,
            phase: Phase::Starting,
            since: now,
        }
    }

    /// The process was heard at `now`.
    pub(super) fn heard(&mut self, sign: Sign, now: Instant) {
        self.phase = match sign {
            Sign::Beat => Phase::Beating,
            Sign::Stop => Phase::Stopping,
        };
        self.since = now;
    }

    /// When the process counts as hung unless it is heard before.
    pub(super) fn deadline(&self) -> Instant {
        self.since
            + match self.phase {
                Phase::Starting => STARTUP_LIMIT,
                Phase::Beating => self.limit,
                Phase::Stopping => EXIT_LIMIT,
            }
    }

    /// What the silence means, for the log.
    pub(super) fn silence(&self) -> &'static str {
        match self.phase {
            Phase::Starting => "it did not finish starting",
            Phase::Beating => "its heart stopped: the process hangs",
            Phase::Stopping => "it did not finish stopping",
        }
    }
}

// === impl Sign ===

impl Sign {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Beat => b'b',
            Self::Stop => b'q',
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Beat, Self::Stop]
            .into_iter()
            .find(|sign| sign.byte() == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(700);

    #[test]
    fn a_process_is_given_time_to_start_and_none_to_hang() {
        let start = Instant::now();
        let mut watch = Watch::new(LIMIT, start);
        assert!(watch.deadline() >= start + Duration::from_secs(60));
        let first = start + Duration::from_secs(20);
        watch.heard(Sign::Beat, first);
        assert_eq!(watch.deadline(), first + LIMIT);
    }

    #[test]
    fn a_process_that_says_it_stops_is_given_time_to_end() {
        let start = Instant::now();
        let mut watch = Watch::new(LIMIT, start);
        watch.heard(Sign::Beat, start);
        watch.heard(Sign::Stop, start);
        assert_eq!(watch.deadline(), start + EXIT_LIMIT);
    }
}
