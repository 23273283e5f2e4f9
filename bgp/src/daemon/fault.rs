use thiserror::Error;
use tonic::Status;

/// Why the daemon did not do what it was asked for.
#[derive(Debug, Error)]
pub(super) enum Fault {
    /// Nobody answers there.
    #[error("{address}: {cause}")]
    Unreachable { address: String, cause: String },
    /// It answers, and has no BGP running.
    #[error("{0}: the daemon has no AS number and no router id yet: configure it, or StartBgp")]
    NotStarted(String),
    /// It refused one request.
    #[error("{what}: {cause}")]
    Refused { what: &'static str, cause: String },
}

// === impl Fault ===

impl Fault {
    pub(super) fn of(what: &'static str, status: &Status) -> Self {
        Self::Refused {
            what,
            cause: format!("{:?}: {}", status.code(), status.message()),
        }
    }
}
