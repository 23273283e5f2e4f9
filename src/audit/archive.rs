//! What was recorded.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metal_storage::limits::PAGE_RECORDS;
use metal_storage::{Entity, Name, Query, Read, Result, Scope, Store, Value};

use super::entry::{Entry, position};
use super::{Event, Phase, Trail};

/// How long what was just recorded is waited for.
const SETTLE: Duration = Duration::from_secs(5);

/// Which events are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Not after.
    pub to: Option<DateTime<Utc>>,
    /// Of the request of this id.
    pub rqid: Option<String>,
    /// By the caller of this mail address.
    pub user: Option<String>,
    /// By callers of this tenant.
    pub tenant: Option<String>,
    /// Naming this project.
    pub project: Option<String>,
    /// With this HTTP method.
    pub method: Option<String>,
    /// On this path.
    pub path: Option<String>,
    /// In this phase.
    pub phase: Option<Phase>,
    /// From this address and port, or from this address.
    pub remote_addr: Option<String>,
    /// Said to be from there.
    pub forwarded_for: Option<String>,
    /// With this in the body.
    pub body: Option<String>,
    /// With this in the error.
    pub error: Option<String>,
    /// Answered with this status.
    pub status: Option<u16>,
}

/// Reads the trail. Cloning is cheap.
#[derive(Clone)]
pub struct Archive {
    store: Arc<dyn Store>,
    scope: Scope,
    trail: Trail,
}

// === impl Archive ===

impl Archive {
    pub(super) fn new((store, scope): (Arc<dyn Store>, Scope), trail: Trail) -> Self {
        Self {
            store,
            scope,
            trail,
        }
    }

    /// The newest `limit` events that are meant, the newest first. What this node recorded before
    /// is among them. Costs a look at every event from the end of the time until enough are
    /// found; of the request, project or user only, where one is given.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn find(&self, search: &Search, limit: usize) -> Result<Vec<Event>> {
        self.trail.flush(SETTLE).await;
        let table = Name::from_static(Entry::SCHEMA.table());
        let mut query = Query::new(self.scope.clone(), table);
        query.after = search.to.map(position);
        let columns = [
            ("rqid", &search.rqid),
            ("project", &search.project),
            ("user", &search.user),
        ];
        if let Some((column, value)) = columns.iter().find_map(|(c, v)| Some((c, v.as_ref()?))) {
            let value = Value::from(value);
            query.equal.push((Name::from_static(column), value));
        }
        query.limit = limit.clamp(1, PAGE_RECORDS);
        let mut found = Vec::new();
        loop {
            let page = self.store.list(&query, Read::Latest).await?;
            for record in &page.records {
                let Ok(entry) = serde_json::from_slice::<Entry>(&record.value.doc) else {
                    tracing::error!(key = %record.value.key, "an audit entry cannot be read");
                    continue;
                };
                if search.from.is_some_and(|from| entry.event.at < from) || found.len() >= limit {
                    return Ok(found);
                }
                if search.matches(&entry.event) {
                    found.push(entry.event);
                }
            }
            match page.next {
                // What is rare is looked for in larger and larger pages.
                Some(next) if found.len() < limit => {
                    query.after = Some(next);
                    query.limit = (query.limit * 2).min(PAGE_RECORDS);
                }
                _ => return Ok(found),
            }
        }
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Archive(..)")
    }
}

// === impl Search ===

impl Search {
    /// Whether `event` is meant.
    pub fn matches(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        let within = |wanted: &Option<String>, value: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| value.contains(wanted))
        };
        let address = event.remote_addr.rsplit_once(':').map(|(ip, _)| ip);
        let from_there = |wanted: &String| {
            *wanted == event.remote_addr
                || address.is_some_and(|ip| ip.trim_matches(['[', ']']) == wanted)
        };
        self.from.is_none_or(|from| event.at >= from)
            && self.to.is_none_or(|to| event.at <= to)
            && is(&self.rqid, &event.rqid)
            && is(&self.user, &event.user)
            && is(&self.tenant, &event.tenant)
            && is(&self.project, &event.project)
            && is(&self.method, &event.method)
            && is(&self.path, &event.path)
            && self.phase.is_none_or(|phase| phase == event.phase)
            && self.remote_addr.as_ref().is_none_or(from_there)
            && is(&self.forwarded_for, &event.forwarded_for)
            && within(&self.body, &event.body)
            && within(&self.error, &event.error)
            && self
                .status
                .is_none_or(|status| Some(status) == event.status)
    }
}
