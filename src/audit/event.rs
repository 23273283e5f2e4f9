//! What happened.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One phase of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the node's clock.
    pub at: DateTime<Utc>,
    /// Which phase of the request.
    pub phase: Phase,
    /// The id of the request, as in the access log.
    pub rqid: String,
    /// The node that executed it.
    pub node: String,
    /// The operation, by its id in the OpenAPI document.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Where the connection came from.
    pub remote_addr: String,
    /// Where it says that it came from; empty if it says nothing.
    pub forwarded_for: String,
    /// Mail address of the caller; empty for somebody unknown.
    pub user: String,
    /// The caller's tenant; empty for somebody unknown.
    pub tenant: String,
    /// The project that the request names; empty if it names none.
    pub project: String,
    /// What was sent or answered, redacted and cut; empty if there was nothing.
    pub body: String,
    /// What was answered; none before.
    pub status: Option<u16>,
    /// Why it was refused; empty if it was not.
    pub error: String,
    /// How long the answer took, microseconds; none before.
    pub micros: Option<u64>,
}

/// Which phase of a request an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It was read, or refused before.
    Request,
    /// It was answered.
    Response,
    /// It ended without an answer.
    Error,
}

// === impl Event ===

impl Event {
    /// Whether the caller proved who they are.
    pub(super) fn is_known(&self) -> bool {
        !self.user.is_empty()
    }

    /// Bytes of its texts.
    pub(super) fn size(&self) -> usize {
        let texts = [
            &self.rqid,
            &self.node,
            &self.operation,
            &self.method,
            &self.path,
            &self.remote_addr,
            &self.forwarded_for,
            &self.user,
            &self.tenant,
            &self.project,
            &self.body,
            &self.error,
        ];
        texts.iter().map(|text| text.len()).sum()
    }
}

// === impl Phase ===

impl Phase {
    /// Its name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Error => "error",
        }
    }
}
