//! Wire types of tenants.

use serde::{Deserialize, Serialize};

use super::super::meta::{MetaRequest, MetaResponse, QuotaSetBody};
use super::super::wire::{Texts, filled, object, texts};
use crate::domain::{IamConfig, IssuerConfig, Tenant, TenantQuery};

/// Body of create and update.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TenantRequest {
    #[serde(default, deserialize_with = "object")]
    pub meta: Option<MetaRequest>,
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub default_quotas: Option<QuotaSetBody>,
    #[serde(default, deserialize_with = "object")]
    pub quotas: Option<QuotaSetBody>,
    #[serde(default, deserialize_with = "object")]
    pub iam_config: Option<IamConfigBody>,
}

/// Body of find.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TenantFindRequest {
    id: Option<String>,
    name: Option<String>,
    annotations: Option<Texts>,
    #[serde(default, deserialize_with = "object")]
    paging: Option<Paging>,
}

/// Pages of `count`, counted from 0; without `count` or with 0, everything.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    count: Option<u64>,
    page: Option<u64>,
}

/// A tenant in an answer.
#[derive(Debug, Serialize)]
pub(super) struct TenantResponse {
    meta: MetaResponse,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_quotas: Option<QuotaSetBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<QuotaSetBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iam_config: Option<IamConfigBody>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct IamConfigBody {
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    issuer_config: Option<IssuerConfigBody>,
    #[serde(
        default,
        deserialize_with = "object",
        skip_serializing_if = "Option::is_none"
    )]
    idm_config: Option<IdmConfigBody>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct IssuerConfigBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct IdmConfigBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    idm_type: Option<String>,
}

// === impl TenantFindRequest ===

impl TenantFindRequest {
    pub fn into_parts(self) -> (TenantQuery, Paging) {
        let query = TenantQuery {
            id: filled(self.id),
            name: filled(self.name),
            annotations: texts(self.annotations),
        };
        (query, self.paging.unwrap_or_default())
    }
}

// === impl Paging ===

impl Paging {
    /// The page of `found` that is asked for.
    pub fn cut<T>(&self, found: Vec<T>) -> Vec<T> {
        let Some(count) = self.count.filter(|count| *count > 0) else {
            return found;
        };
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let skip = count.saturating_mul(self.page.unwrap_or(0));
        found
            .into_iter()
            .skip(size(skip))
            .take(size(count))
            .collect()
    }
}

// === impl TenantResponse ===

impl From<Tenant> for TenantResponse {
    fn from(tenant: Tenant) -> Self {
        Self {
            meta: MetaResponse::new("Tenant", tenant.id.into(), tenant.meta),
            name: tenant.name,
            description: tenant.description,
            default_quotas: tenant.default_quotas.map(QuotaSetBody::from),
            quotas: tenant.quotas.map(QuotaSetBody::from),
            iam_config: tenant.iam_config.map(IamConfigBody::from),
        }
    }
}

// === impl IamConfigBody ===

impl IamConfigBody {
    pub fn into_domain(self) -> IamConfig {
        IamConfig {
            issuer: self.issuer_config.map(|issuer| IssuerConfig {
                url: issuer.url.unwrap_or_default(),
                client_id: issuer.client_id.unwrap_or_default(),
            }),
            idm_type: self.idm_config.map(|idm| idm.idm_type.unwrap_or_default()),
        }
    }
}

impl From<IamConfig> for IamConfigBody {
    fn from(iam: IamConfig) -> Self {
        Self {
            issuer_config: iam.issuer.map(|issuer| IssuerConfigBody {
                url: Some(issuer.url),
                client_id: Some(issuer.client_id),
            }),
            idm_config: iam.idm_type.map(|idm_type| IdmConfigBody {
                idm_type: Some(idm_type),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_counted_from_zero() {
        let page = |count, page| Paging { count, page }.cut(vec![1, 2, 3, 4, 5]);
        assert_eq!(page(Some(2), None), [1, 2]);
        assert_eq!(page(Some(2), Some(2)), [5]);
        assert_eq!(page(Some(u64::MAX), Some(u64::MAX)), [0_i32; 0]);
        assert_eq!(page(None, Some(3)), [1, 2, 3, 4, 5]);
    }
}
