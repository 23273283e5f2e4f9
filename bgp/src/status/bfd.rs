//! A BFD session as an operator sees it.

use serde::Serialize;

use crate::{BfdDiagnostic, BfdState};

/// A BFD session with a peer at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BfdStatus {
    /// Our side.
    pub state: BfdState,
    /// Seconds in this state.
    pub since_seconds: u64,
    /// Why our side left the state Up last.
    pub diagnostic: BfdDiagnostic,
    /// What the peer says of its side; `Down` while nothing is heard.
    pub remote_state: BfdState,
    /// Why the peer's side left the state Up last.
    pub remote_diagnostic: BfdDiagnostic,
    /// Milliseconds between our packets at the most; `None` while the peer wants none.
    pub transmit_interval_ms: Option<u64>,
    /// Milliseconds of silence after which the peer is taken for dead; 0 while nothing is heard.
    pub detection_time_ms: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets received from the peer and accepted.
    pub received: u64,
    /// Why there is no session, if it is not the peer: one sentence.
    pub fault: Option<String>,
}

// === impl BfdStatus ===

impl Default for BfdStatus {
    fn default() -> Self {
        Self {
            state: BfdState::Down,
            since_seconds: 0,
            diagnostic: BfdDiagnostic::default(),
            remote_state: BfdState::Down,
            remote_diagnostic: BfdDiagnostic::default(),
            transmit_interval_ms: None,
            detection_time_ms: 0,
            sent: 0,
            received: 0,
            fault: None,
        }
    }
}
