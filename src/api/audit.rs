//! `/v1/audit/find`: who changed what.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use metal_storage::limits::TEXT_BYTES;
use serde::{Deserialize, Serialize};

use super::extract::JsonOf;
use super::wire::{filled, moment};
use super::{ApiError, ApiState};
use crate::audit::{Event, Phase, Search};
use crate::domain::bounds;

/// What this node is called in the trail, and how it was called.
const COMPONENT: &str = "metal-edge";
const TYPE: &str = "http";

/// Entries that are answered if nothing is said, and at most.
const LIMIT: usize = 100;
const MOST: usize = 1000;

#[derive(Debug, Default, Deserialize)]
struct FindRequest {
    component: Option<String>,
    rqid: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    user: Option<String>,
    tenant: Option<String>,
    project: Option<String>,
    detail: Option<String>,
    phase: Option<String>,
    path: Option<String>,
    forwarded_for: Option<String>,
    remote_addr: Option<String>,
    body: Option<String>,
    status_code: Option<i32>,
    error: Option<String>,
    limit: Option<i64>,
}

/// An entry in an answer.
#[derive(Debug, Serialize)]
struct EntryResponse {
    component: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    rqid: String,
    phase: &'static str,
    /// The HTTP method.
    detail: String,
    path: String,
    remote_addr: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    forwarded_for: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tenant: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
}

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/v1/audit/find", post(find))
}

/// The newest entries that match all that is given, the newest first. Body and error match a part
/// of the text, everything else the whole.
async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<FindRequest>,
) -> Result<Json<Vec<EntryResponse>>, ApiError> {
    let limit = limit(body.limit)?;
    let Some(search) = body.into_search() else {
        return Ok(Json(vec![]));
    };
    let indexed = [
        ("rqid", &search.rqid),
        ("project", &search.project),
        ("user", &search.user),
    ];
    for (field, text) in indexed {
        bounds::line(field, text.as_deref().unwrap_or_default(), TEXT_BYTES)?;
    }
    let events = state.audit.find(&search, limit).await?;
    Ok(Json(events.into_iter().map(Into::into).collect()))
}

fn limit(limit: Option<i64>) -> Result<usize, ApiError> {
    match limit {
        None | Some(0) => Ok(LIMIT),
        Some(limit) => match usize::try_from(limit) {
            Ok(limit) if limit <= MOST => Ok(limit),
            _ => Err(ApiError::bad_request(format!(
                "limit: must be from 1 to {MOST}; older entries are found with an earlier `to`"
            ))),
        },
    }
}

// === impl FindRequest ===

impl FindRequest {
    /// None if nothing here can match.
    fn into_search(self) -> Option<Search> {
        let only = |given: Option<String>, is: &str| filled(given).is_none_or(|text| text == is);
        if !only(self.component, COMPONENT) || !only(self.kind, TYPE) {
            return None;
        }
        let phase = match filled(self.phase).as_deref() {
            None => None,
            Some(word) => Some(phase(word)?),
        };
        let status = match self.status_code {
            None | Some(0) => None,
            Some(status) => Some(u16::try_from(status).ok()?),
        };
        // Go's zero time, and that of clients that count from 1970.
        let since = |time| moment(time).filter(|time| *time > DateTime::UNIX_EPOCH);
        Some(Search {
            from: since(self.from),
            to: since(self.to),
            rqid: filled(self.rqid),
            user: filled(self.user),
            tenant: filled(self.tenant),
            project: filled(self.project),
            method: filled(self.detail),
            path: filled(self.path),
            phase,
            remote_addr: filled(self.remote_addr),
            forwarded_for: filled(self.forwarded_for),
            body: filled(self.body),
            error: filled(self.error),
            status,
        })
    }
}

fn phase(word: &str) -> Option<Phase> {
    [Phase::Request, Phase::Response, Phase::Error]
        .into_iter()
        .find(|phase| phase.word() == word)
}

// === impl EntryResponse ===

impl From<Event> for EntryResponse {
    fn from(event: Event) -> Self {
        Self {
            component: COMPONENT,
            kind: TYPE,
            timestamp: event.at,
            rqid: event.rqid,
            phase: event.phase.word(),
            detail: event.method,
            path: event.path,
            remote_addr: event.remote_addr,
            forwarded_for: event.forwarded_for,
            user: event.user,
            tenant: event.tenant,
            body: event.body,
            status_code: event.status,
            error: event.error,
        }
    }
}
