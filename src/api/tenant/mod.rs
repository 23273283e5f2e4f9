//! `/v1/tenant`: who owns projects.

mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::{Error, Filter, Stored};
use uuid::Uuid;

use self::wire::{IamConfigBody, TenantFindRequest, TenantRequest, TenantResponse};
use super::extract::{JsonOf, PathId};
use super::meta::QuotaSetBody;
use super::records::Records;
use super::retry::Retry;
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{Meta, Project, Tenant, TenantId};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/tenant", get(list).put(create).post(update))
        .route("/v1/tenant/find", post(find))
        .route("/v1/tenant/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<TenantResponse>>, ApiError> {
    let tenants = tenants(&state).list(Filter::all()).await?;
    Ok(Json(tenants.into_iter().map(Into::into).collect()))
}

/// Every tenant that matches all that is given, ordered by id. Linear in the number of tenants.
async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<TenantFindRequest>,
) -> Result<Json<Vec<TenantResponse>>, ApiError> {
    let (query, paging) = body.into_parts();
    let mut tenants = tenants(&state).list(Filter::all()).await?;
    tenants.retain(|tenant| query.matches(tenant));
    let page = paging.cut(tenants);
    Ok(Json(page.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<TenantResponse>, ApiError> {
    let tenant = tenants(&state).get(&id).await?;
    Ok(Json(tenant.value.into()))
}

async fn create(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<TenantRequest>,
) -> Result<(StatusCode, Json<TenantResponse>), ApiError> {
    let meta = body.meta.take().unwrap_or_default();
    let id = match meta.id.clone() {
        Some(id) if !id.is_empty() => id,
        _ => Uuid::new_v4().to_string(),
    };
    let id = TenantId::try_from(id)?;
    let meta = Meta::new(meta.into_input()?, clock::wall());
    let tenant = tenant(id, meta, body)?;
    tenants(&state).insert(&tenant).await?;
    Ok((StatusCode::CREATED, Json(tenant.into())))
}

/// Replaces a tenant whose version the client has read. A project that was made meanwhile rewrote
/// the record but not the tenant, so a conflict is looked at again.
async fn update(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<TenantRequest>,
) -> Result<Json<TenantResponse>, ApiError> {
    let meta = body.meta.take().unwrap_or_default();
    let id = meta.existing_id()?.to_owned();
    let version = meta.version();
    let input = meta.into_input()?;
    let tenants = tenants(&state);
    let mut old = tenants.get(&id).await?;
    let mut new = tenant(old.value.id.clone(), old.value.meta.clone(), body)?;
    let mut retry = Retry::new("updateTenant");
    loop {
        if i64::try_from(old.value.meta.version) != Ok(version) {
            return Err(outdated("tenant", &id, old.value.meta.version, version));
        }
        new.meta = old.value.meta.changed(input.clone(), clock::wall());
        match tenants.try_replace(&old, &new).await {
            Ok(()) => return Ok(Json(new.into())),
            Err(Error::Conflict(key)) => retry.after(&key).await?,
            Err(error) => return Err(error.into()),
        }
        old = tenants.get(&id).await?;
    }
}

/// Deletes a tenant that has no project. Making a project rewrites the tenant's record, so that
/// of the two at once one sees the other.
async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<TenantResponse>, ApiError> {
    let tenants = tenants(&state);
    let projects = Records::<Project>::new(&state.store);
    let mut retry = Retry::new("deleteTenant");
    loop {
        let tenant: Stored<Tenant> = tenants.get(&id).await?;
        let left = projects.list(Filter::eq("tenant", id.as_str())).await?;
        if !left.is_empty() {
            return Err(ApiError::refused(format!(
                "tenant {id:?} still has {} projects",
                left.len()
            )));
        }
        match tenants.try_delete(&tenant).await {
            Ok(()) => return Ok(Json(tenant.value.into())),
            Err(Error::Conflict(key)) => retry.after(&key).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// 412: another version is stored than the client has read.
pub(super) fn outdated(entity: &str, id: &str, stored: u64, read: i64) -> ApiError {
    ApiError::outdated(format!(
        "{entity} {id:?} is at version {stored} and the change was made to version {read}: read it again"
    ))
}

fn tenants(state: &ApiState) -> Records<Tenant> {
    Records::new(&state.store)
}

fn tenant(id: TenantId, meta: Meta, body: TenantRequest) -> Result<Tenant, ApiError> {
    let tenant = Tenant {
        id,
        meta,
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        default_quotas: body.default_quotas.map(QuotaSetBody::into_domain),
        quotas: body.quotas.map(QuotaSetBody::into_domain),
        iam_config: body.iam_config.map(IamConfigBody::into_domain),
    };
    tenant.check()?;
    Ok(tenant)
}
