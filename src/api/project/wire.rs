//! Wire types of projects.

use serde::{Deserialize, Serialize};

use super::super::meta::{MetaRequest, MetaResponse, QuotaSetBody};
use super::super::wire::{filled, object};
use crate::domain::{Project, ProjectQuery};

/// Body of create and update.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ProjectRequest {
    #[serde(default, deserialize_with = "object")]
    pub meta: Option<MetaRequest>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tenant_id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub quotas: Option<QuotaSetBody>,
}

/// Body of find.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ProjectFindRequest {
    id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    tenant_id: Option<String>,
}

/// A project in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ProjectResponse {
    meta: MetaResponse,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    tenant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<QuotaSetBody>,
}

// === impl ProjectFindRequest ===

impl From<ProjectFindRequest> for ProjectQuery {
    fn from(body: ProjectFindRequest) -> Self {
        Self {
            id: filled(body.id),
            name: filled(body.name),
            description: filled(body.description),
            tenant: filled(body.tenant_id),
        }
    }
}

// === impl ProjectResponse ===

impl From<Project> for ProjectResponse {
    fn from(project: Project) -> Self {
        Self {
            meta: MetaResponse::new("Project", project.id.into(), project.meta),
            name: project.name,
            description: project.description,
            tenant_id: project.tenant.into(),
            quotas: project.quotas.map(QuotaSetBody::from),
        }
    }
}
