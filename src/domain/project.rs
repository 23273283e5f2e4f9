//! Projects.

use serde::{Deserialize, Serialize};

use super::{Invalid, Meta, ProjectId, QuotaSet, TenantId, bounds};

/// What machines, networks and IP addresses belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Id, chosen by the client or made at creation.
    pub id: ProjectId,
    /// Meta data.
    pub meta: Meta,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// Limits of this project.
    pub quotas: Option<QuotaSet>,
}

/// Which projects are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectQuery {
    /// This id.
    pub id: Option<String>,
    /// This name.
    pub name: Option<String>,
    /// This description.
    pub description: Option<String>,
    /// Of this tenant.
    pub tenant: Option<String>,
}

// === impl Project ===

impl Project {
    /// Refuses texts and limits beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        match &self.quotas {
            Some(quotas) => quotas.check("quotas"),
            None => Ok(()),
        }
    }
}

// === impl ProjectQuery ===

impl ProjectQuery {
    /// Whether `project` is meant.
    pub fn matches(&self, project: &Project) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        is(&self.id, project.id.as_str())
            && is(&self.name, &project.name)
            && is(&self.description, &project.description)
            && is(&self.tenant, project.tenant.as_str())
    }
}
