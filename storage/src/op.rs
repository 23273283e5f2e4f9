use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one attempt to change something, so that it can be repeated without being done twice.
///
/// A store remembers an operation id, per scope, as long as the change that it made: at least for
/// the last [`HISTORY_REVISIONS`](crate::limits::HISTORY_REVISIONS) revisions of the scope, unless
/// configured otherwise. Repeat sooner than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(Uuid);

// === impl OpId ===

impl OpId {
    /// An id never used before. Ordered by time in its high bits, so that an index of them grows
    /// at its end.
    #[expect(clippy::new_without_default, reason = "each one differs")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as a UUID.
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for OpId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
