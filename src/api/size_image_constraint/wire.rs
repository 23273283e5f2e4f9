//! Wire types of size image constraints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::wire::{Texts, object};
use crate::domain::SizeImageConstraint;

/// Body of create and update; what is left out of an update stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ConstraintRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub constraints: Option<ImagesRequest>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ImagesRequest {
    pub images: Option<Texts>,
}

/// Body of try.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TryRequest {
    pub size: Option<String>,
    pub image: Option<String>,
}

/// A size image constraint in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ConstraintResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    constraints: ImagesResponse,
}

#[derive(Debug, Serialize)]
struct ImagesResponse {
    images: BTreeMap<String, String>,
}

/// The answer that says yes and nothing more.
#[derive(Debug, Serialize)]
pub(super) struct EmptyBody {}

// === impl ConstraintResponse ===

impl From<SizeImageConstraint> for ConstraintResponse {
    fn from(constraint: SizeImageConstraint) -> Self {
        Self {
            id: constraint.id.into(),
            name: constraint.name,
            description: constraint.description,
            constraints: ImagesResponse {
                images: constraint.images,
            },
        }
    }
}
