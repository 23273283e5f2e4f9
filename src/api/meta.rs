//! Wire types of meta data and quotas, which tenants and projects share.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::wire::{Texts, object, texts};
use crate::domain::{Meta, MetaInput, Quota, QuotaSet};

/// Meta data in a request. What only the server says (times, kind) is ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MetaRequest {
    pub id: Option<String>,
    version: Option<i64>,
    annotations: Option<Texts>,
    labels: Option<Vec<String>>,
}

/// Meta data in an answer.
#[derive(Debug, Serialize)]
pub(super) struct MetaResponse {
    id: String,
    kind: &'static str,
    apiversion: &'static str,
    version: u64,
    created_time: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
}

/// Limits in a request or an answer.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct QuotaSetBody {
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    cluster: Option<QuotaBody>,
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    machine: Option<QuotaBody>,
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    ip: Option<QuotaBody>,
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    project: Option<QuotaBody>,
}

/// One limit. `used` is counted, never stored: in a request it is ignored.
#[derive(Debug, Default, Deserialize, Serialize)]
struct QuotaBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<i32>,
}

// === impl MetaRequest ===

impl MetaRequest {
    /// The id of the record to be changed.
    pub fn existing_id(&self) -> Result<&str, ApiError> {
        match self.id.as_deref() {
            None | Some("") => Err(ApiError::bad_request("meta.id: should not be empty")),
            Some(id) => Ok(id),
        }
    }

    /// The version that the client has read. Clients leave 0 out.
    pub fn version(&self) -> i64 {
        self.version.unwrap_or(0)
    }

    /// What the client chooses, within its bounds.
    pub fn into_input(self) -> Result<MetaInput, ApiError> {
        let input = MetaInput {
            annotations: texts(self.annotations),
            labels: self.labels.unwrap_or_default(),
        };
        input.check()?;
        Ok(input)
    }
}

// === impl MetaResponse ===

impl MetaResponse {
    pub fn new(kind: &'static str, id: String, meta: Meta) -> Self {
        Self {
            id,
            kind,
            apiversion: "v1",
            version: meta.version,
            created_time: meta.times.created,
            updated_time: (meta.version > 0).then_some(meta.times.changed),
            annotations: meta.annotations,
            labels: meta.labels,
        }
    }
}

// === impl QuotaSetBody ===

impl QuotaSetBody {
    pub fn into_domain(self) -> QuotaSet {
        let quota = |body: Option<QuotaBody>| body.map(|body| Quota { limit: body.quota });
        QuotaSet {
            cluster: quota(self.cluster),
            machine: quota(self.machine),
            ip: quota(self.ip),
            project: quota(self.project),
        }
    }
}

impl From<QuotaSet> for QuotaSetBody {
    fn from(set: QuotaSet) -> Self {
        let body = |quota: Option<Quota>| {
            quota.map(|quota| QuotaBody {
                quota: quota.limit,
                used: None,
            })
        };
        Self {
            cluster: body(set.cluster),
            machine: body(set.machine),
            ip: body(set.ip),
            project: body(set.project),
        }
    }
}
