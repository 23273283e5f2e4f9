//! Tenants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Invalid, Meta, QuotaSet, TenantId, bounds};

/// Who owns projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Id, chosen by the client or made at creation.
    pub id: TenantId,
    /// Meta data.
    pub meta: Meta,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Limits of new projects of this tenant.
    pub default_quotas: Option<QuotaSet>,
    /// Limits of this tenant.
    pub quotas: Option<QuotaSet>,
    /// How its users are authenticated.
    pub iam_config: Option<IamConfig>,
}

/// How the users of a tenant are authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamConfig {
    /// Who issues their tokens.
    pub issuer: Option<IssuerConfig>,
    /// Kind of directory that their groups come from; `None` if there is none, empty if unnamed.
    pub idm_type: Option<String>,
}

/// Who issues tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerConfig {
    /// URL of the issuer.
    pub url: String,
    /// The audience that its tokens carry.
    pub client_id: String,
}

/// Which tenants are meant: those that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantQuery {
    /// This id.
    pub id: Option<String>,
    /// This name.
    pub name: Option<String>,
    /// All these annotations with these values.
    pub annotations: BTreeMap<String, String>,
}

// === impl Tenant ===

impl Tenant {
    /// Refuses texts and limits beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        if let Some(quotas) = &self.default_quotas {
            quotas.check("default_quotas")?;
        }
        if let Some(quotas) = &self.quotas {
            quotas.check("quotas")?;
        }
        let Some(iam) = &self.iam_config else {
            return Ok(());
        };
        if let Some(issuer) = &iam.issuer {
            bounds::line("iam_config.issuer_config.url", &issuer.url, bounds::TEXT)?;
            let client_id = "iam_config.issuer_config.client_id";
            bounds::line(client_id, &issuer.client_id, bounds::TEXT)?;
        }
        if let Some(kind) = &iam.idm_type {
            bounds::line("iam_config.idm_config.idm_type", kind, bounds::NAME)?;
        }
        Ok(())
    }

    /// Whether this tenant may have one project more than `projects`.
    pub fn allows_another_project(&self, projects: usize) -> bool {
        self.quotas
            .and_then(|quotas| quotas.project)
            .is_none_or(|quota| quota.allows_another(projects))
    }
}

// === impl TenantQuery ===

impl TenantQuery {
    /// Whether `tenant` is meant.
    pub fn matches(&self, tenant: &Tenant) -> bool {
        self.id.as_deref().is_none_or(|id| id == tenant.id.as_str())
            && self.name.as_ref().is_none_or(|name| *name == tenant.name)
            && self
                .annotations
                .iter()
                .all(|(key, value)| tenant.meta.annotations.get(key) == Some(value))
    }
}
