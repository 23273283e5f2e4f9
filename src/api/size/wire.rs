//! Wire types of sizes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{Texts, objects, word};
use crate::domain::{Constraint, ConstraintType, Invalid, Size};

/// Body of create and update; what is left out of an update stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SizeRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    pub constraints: Option<Vec<ConstraintRequest>>,
    pub labels: Option<Texts>,
    pub changed: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConstraintRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    min: Option<u64>,
    max: Option<u64>,
    identifier: Option<String>,
}

/// Body of suggest.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SuggestRequest {
    #[serde(rename = "machineID")]
    pub machine_id: Option<String>,
}

/// A size in an answer.
#[derive(Debug, Serialize)]
pub(super) struct SizeResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    constraints: Vec<ConstraintResponse>,
    labels: BTreeMap<String, String>,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

/// A constraint in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ConstraintResponse {
    #[serde(rename = "type")]
    kind: &'static str,
    min: u64,
    max: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    identifier: String,
}

/// The constraints of a request.
pub(super) fn constraints(bodies: Vec<ConstraintRequest>) -> Result<Vec<Constraint>, Invalid> {
    let parse = |(i, body): (usize, ConstraintRequest)| {
        Ok(Constraint {
            kind: word(
                &format!("constraints[{i}].type"),
                &body.kind.unwrap_or_default(),
                ConstraintType::from_word,
                &["cores", "memory", "storage", "gpu"],
            )?,
            min: body.min.unwrap_or(0),
            max: body.max.unwrap_or(0),
            identifier: body.identifier.unwrap_or_default(),
        })
    };
    bodies.into_iter().enumerate().map(parse).collect()
}

// === impl SizeResponse ===

impl From<Size> for SizeResponse {
    fn from(size: Size) -> Self {
        Self {
            id: size.id.into(),
            name: size.name,
            description: size.description,
            constraints: size.constraints.into_iter().map(Into::into).collect(),
            labels: size.labels,
            created: size.times.created,
            changed: size.times.changed,
        }
    }
}

// === impl ConstraintResponse ===

impl From<Constraint> for ConstraintResponse {
    fn from(constraint: Constraint) -> Self {
        Self {
            kind: constraint.kind.word(),
            min: constraint.min,
            max: constraint.max,
            identifier: constraint.identifier,
        }
    }
}
