//! `/v1/project`: what machines, networks and addresses belong to.

mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::{Batch, Error, Filter, Key, Scope, Stored};
use uuid::Uuid;

use self::wire::{ProjectFindRequest, ProjectRequest, ProjectResponse};
use super::commit::commit;
use super::extract::{JsonOf, PathId};
use super::meta::QuotaSetBody;
use super::records::{Records, exists};
use super::retry::Retry;
use super::size_reservation::Unreserved;
use super::tenant::outdated;
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{Meta, Project, ProjectId, ProjectQuery, Tenant, TenantId};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/project", get(list).put(create).post(update))
        .route("/v1/project/find", post(find))
        .route("/v1/project/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<ProjectResponse>>, ApiError> {
    let projects = projects(&state).list(Filter::all()).await?;
    Ok(Json(projects.into_iter().map(Into::into).collect()))
}

/// Every project that matches all that is given, ordered by id. Linear in the number of projects,
/// of the tenant if one is given.
async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ProjectFindRequest>,
) -> Result<Json<Vec<ProjectResponse>>, ApiError> {
    let query = ProjectQuery::from(body);
    let filter = match query.tenant.clone().map(TenantId::try_from) {
        None => Filter::all(),
        Some(Ok(tenant)) => Filter::eq("tenant", tenant.as_str()),
        // No project can be of a tenant with such an id.
        Some(Err(_)) => return Ok(Json(vec![])),
    };
    let mut projects = projects(&state).list(filter).await?;
    projects.retain(|project| query.matches(project));
    Ok(Json(projects.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ProjectResponse>, ApiError> {
    let project = projects(&state).get(&id).await?;
    Ok(Json(project.value.into()))
}

/// Makes a project of a tenant that exists and may have one more.
async fn create(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<ProjectRequest>,
) -> Result<(StatusCode, Json<ProjectResponse>), ApiError> {
    let meta = body.meta.take().unwrap_or_default();
    let id = match meta.id.clone() {
        Some(id) if !id.is_empty() => id,
        _ => Uuid::new_v4().to_string(),
    };
    let id = ProjectId::try_from(id)?;
    let tenant = match body.tenant_id.take() {
        Some(tenant) if !tenant.is_empty() => tenant_id(tenant)?,
        _ => return Err(ApiError::bad_request("no tenant given")),
    };
    let meta = Meta::new(meta.into_input()?, clock::wall());
    let project = project(id, meta, tenant, body)?;

    let projects = projects(&state);
    projects.absent(project.id.as_str()).await?;
    let mut retry = Retry::new("createProject");
    loop {
        let tenant = roomy_tenant(&state, &project.tenant).await?;
        let mut batch = Batch::new(Scope::Global);
        batch.insert(&project)?.touch(&tenant)?;
        match commit(&state.store, batch).await {
            Ok(_) => {
                // There was one of this id before, perhaps.
                state.space.reopen_project(project.id.as_str()).await?;
                return Ok((StatusCode::CREATED, Json(project.into())));
            }
            Err(Error::Conflict(key)) if key == projects.key(project.id.as_str())? => {
                return Err(exists::<Project>(project.id.as_str()));
            }
            Err(Error::Conflict(key)) => retry.after(&key).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Replaces a project whose version the client has read. Without a tenant it stays where it is;
/// with another one it moves there, as if it were made there.
async fn update(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<ProjectRequest>,
) -> Result<Json<ProjectResponse>, ApiError> {
    let meta = body.meta.take().unwrap_or_default();
    let id = meta.existing_id()?.to_owned();
    let version = meta.version();
    let input = meta.into_input()?;
    let tenant = match body.tenant_id.take() {
        Some(tenant) if !tenant.is_empty() => Some(tenant_id(tenant)?),
        _ => None,
    };
    let projects = projects(&state);
    let old = projects.get(&id).await?;
    if i64::try_from(old.value.meta.version) != Ok(version) {
        return Err(outdated("project", &id, old.value.meta.version, version));
    }
    let tenant = tenant.unwrap_or_else(|| old.value.tenant.clone());
    let moves = tenant != old.value.tenant;
    let meta = old.value.meta.changed(input, clock::wall());
    let new = project(old.value.id.clone(), meta, tenant, body)?;
    let key = projects.key(&id)?;
    let mut retry = Retry::new("updateProject");
    loop {
        let mut batch = Batch::new(Scope::Global);
        batch.replace(&old, &new)?;
        if moves {
            batch.touch(&roomy_tenant(&state, &new.tenant).await?)?;
        }
        match commit(&state.store, batch).await {
            Ok(_) => return Ok(Json(new.into())),
            Err(Error::Conflict(conflict)) if conflict == key => break,
            Err(Error::Conflict(conflict)) => retry.after(&conflict).await?,
            Err(error) => return Err(error.into()),
        }
    }
    let now = projects.get(&id).await?;
    Err(outdated("project", &id, now.value.meta.version, version))
}

/// Deletes a project that has no networks and no addresses, and that no size reservation refers to.
/// Partitions make nothing for it any more.
async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ProjectResponse>, ApiError> {
    let mut retry = Retry::new("deleteProject");
    projects(&state).get(&id).await?;
    loop {
        state.space.close_project(&id).await?;
        let error = match delete_closed(&state, &id).await {
            Ok(Ok(project)) => return Ok(Json(project.into())),
            Ok(Err(key)) => match retry.after(&key).await {
                // Somebody may have made something for it.
                Ok(()) => continue,
                Err(error) => error,
            },
            Err(error) => error,
        };
        state.space.reopen_project(&id).await?;
        return Err(error);
    }
}

/// Deletes a project for which no partition makes anything any more, or gives the key of what was
/// changed meanwhile.
async fn delete_closed(state: &ApiState, id: &str) -> Result<Result<Project, Key>, ApiError> {
    let in_use = |by| ApiError::bad_request(format!("project {id:?} is in use by {by}"));
    let project: Stored<Project> = projects(state).get(id).await?;
    let filter = Filter::eq("project", id);
    let unreserved = Unreserved::check(state, filter, |_| true, in_use).await?;
    let mut batch = Batch::new(Scope::Global);
    batch.delete(&project)?;
    unreserved.require(&mut batch)?;
    match commit(&state.store, batch).await {
        Ok(_) => Ok(Ok(project.value)),
        Err(Error::Conflict(key)) => Ok(Err(key)),
        Err(error) => Err(error.into()),
    }
}

fn projects(state: &ApiState) -> Records<Project> {
    Records::new(&state.store)
}

fn tenant_id(id: String) -> Result<TenantId, ApiError> {
    TenantId::try_from(id).map_err(|invalid| ApiError::bad_request(format!("tenant_{invalid}")))
}

/// The tenant, if it exists (404) and may have one project more (422).
async fn roomy_tenant(state: &ApiState, id: &TenantId) -> Result<Stored<Tenant>, ApiError> {
    let tenant = Records::<Tenant>::new(&state.store)
        .get(id.as_str())
        .await?;
    let limit = tenant.value.quotas.and_then(|quotas| quotas.project);
    if limit.is_some() {
        let filter = Filter::eq("tenant", id.as_str());
        let projects = projects(state).list(filter).await?.len();
        if !tenant.value.allows_another_project(projects) {
            return Err(ApiError::refused(format!(
                "project quota of tenant {:?} reached: it has {projects} projects",
                id.as_str()
            )));
        }
    }
    Ok(tenant)
}

fn project(
    id: ProjectId,
    meta: Meta,
    tenant: TenantId,
    body: ProjectRequest,
) -> Result<Project, ApiError> {
    let project = Project {
        id,
        meta,
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        tenant,
        quotas: body.quotas.map(QuotaSetBody::into_domain),
    };
    project.check()?;
    Ok(project)
}
