//! What records know about themselves.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::{Invalid, bounds};

/// When a record was made and changed, in whole milliseconds: clients round to that, and send
/// `changed` back to say which state they have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamps {
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was changed last; different after every change.
    pub changed: DateTime<Utc>,
}

/// Meta data of tenants and projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Number of changes since the record was made: the version that a client sends back.
    pub version: u64,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Free annotations.
    pub annotations: BTreeMap<String, String>,
    /// Free labels, without values.
    pub labels: Vec<String>,
}

/// The part of [`Meta`] that a client chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaInput {
    /// Free annotations.
    pub annotations: BTreeMap<String, String>,
    /// Free labels, without values.
    pub labels: Vec<String>,
}

// === impl Timestamps ===

impl Timestamps {
    /// Of a record made now.
    pub fn new(now: DateTime<Utc>) -> Self {
        let now = now.trunc_subsecs(3);
        Self {
            created: now,
            changed: now,
        }
    }

    /// After a change now. `changed` moves forward even if the clock did not.
    pub fn touched(self, now: DateTime<Utc>) -> Self {
        let least = self.changed + Duration::milliseconds(1);
        Self {
            created: self.created,
            changed: now.trunc_subsecs(3).max(least),
        }
    }
}

// === impl Meta ===

impl Meta {
    /// Of a record made now: version 0.
    pub fn new(input: MetaInput, now: DateTime<Utc>) -> Self {
        Self {
            version: 0,
            times: Timestamps::new(now),
            annotations: input.annotations,
            labels: input.labels,
        }
    }

    /// After a change now: the next version.
    pub fn changed(&self, input: MetaInput, now: DateTime<Utc>) -> Self {
        Self {
            version: self.version + 1,
            times: self.times.touched(now),
            annotations: input.annotations,
            labels: input.labels,
        }
    }
}

// === impl MetaInput ===

impl MetaInput {
    /// Refuses labels or annotations beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::labels("meta.annotations", &self.annotations)?;
        bounds::tags("meta.labels", &self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_moves_forward_when_the_clock_does_not() {
        let now = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let first = Timestamps::new(now);
        assert_eq!(first.changed.timestamp_subsec_nanos(), 123_000_000);
        let second = first.touched(now - Duration::hours(1));
        assert!(second.changed > first.changed);
        assert_eq!(second.created, first.created);
    }
}
