//! How an event is stored.

use chrono::{DateTime, Utc};
use metal_storage::{Column, Entity, Schema, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Event;

/// The table of [`Entry`].
pub(crate) const ENTRY: Schema = Entry::SCHEMA;

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The time turned round, so that the newest is the first of a list, and something random.
    pub id: String,
    /// The bucket that it is counted in.
    pub bucket: String,
    #[serde(flatten)]
    pub event: Event,
}

/// Before which, in the order of ids, are those that are newer than `at`.
pub(super) fn position(at: DateTime<Utc>) -> String {
    let micros = u64::try_from(at.timestamp_micros()).unwrap_or(0);
    format!("{:016x}", u64::MAX - micros)
}

/// An id of that time that nothing else has.
pub(super) fn unique_id(at: DateTime<Utc>) -> String {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    format!("{}-{random:016x}", position(at))
}

// === impl Entry ===

impl Entry {
    /// Of `event`, counted in `bucket`.
    pub fn new(event: Event, bucket: &str) -> Self {
        Self {
            id: unique_id(event.at),
            bucket: bucket.to_owned(),
            event,
        }
    }
}

impl Entity for Entry {
    const SCHEMA: Schema = Schema::new(
        "audit",
        &[
            Column::text("rqid"),
            Column::text("user"),
            Column::text("project"),
        ],
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        let filled = |text: &str| Value::from(Some(text).filter(|text| !text.is_empty()));
        let event = &self.event;
        vec![
            filled(&event.rqid),
            filled(&event.user),
            filled(&event.project),
        ]
    }
}
