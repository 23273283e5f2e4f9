//! How many entries there are, without counting them.

use chrono::{DateTime, Duration, Utc};
use metal_storage::{Entity, Schema, Value};
use serde::{Deserialize, Serialize};

use super::Event;
use super::entry::unique_id;

/// The table of [`Bucket`].
pub(crate) const BUCKET: Schema = Bucket::SCHEMA;

/// Longest time between the first and the last entry of a bucket.
const SPAN: Duration = Duration::hours(1);
/// Most entries of a bucket.
const ENTRIES: u32 = 1024;

/// Some entries that one node wrote one after the other. It is written with them, so it always
/// knows their number; they are forgotten together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// As of an entry: the newest is the first of a list.
    pub id: String,
    /// Whether its entries are of callers who proved who they are. Those of others are kept
    /// apart, so that nobody without a key can push these out.
    pub known: bool,
    /// Time of the oldest entry.
    pub from: DateTime<Utc>,
    /// Time of the newest entry.
    pub to: DateTime<Utc>,
    /// Number of entries.
    pub entries: u32,
}

// === impl Bucket ===

impl Bucket {
    /// Without an entry yet; `event` is to be the first.
    pub fn new(event: &Event) -> Self {
        Self {
            id: unique_id(event.at),
            known: event.is_known(),
            from: event.at,
            to: event.at,
            entries: 0,
        }
    }

    /// Counts an entry.
    pub fn add(&mut self, event: &Event) {
        self.from = self.from.min(event.at);
        self.to = self.to.max(event.at);
        self.entries += 1;
    }

    /// Whether `event` belongs into another one, where `most` entries are kept in all.
    pub fn is_full(&self, event: &Event, most: u32) -> bool {
        self.entries >= ENTRIES.min(most / 16).max(1) || event.at - self.from > SPAN
    }
}

impl Entity for Bucket {
    const SCHEMA: Schema = Schema::new("auditbucket", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}
