//! `/v1/ip`: addresses that projects have.

mod allocate;
mod wire;

use axum::extract::State;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use metal_storage::{Batch, Error, Filter, Scope, Stored};

use self::wire::{IpFindRequest, IpResponse, IpUpdateRequest, address};
use super::extract::{JsonOf, PathId};
use super::records::{changed, unchanged};
use super::retry::Retry;
use super::space::Space;
use super::wire::set;
use super::{ApiError, ApiState};
use crate::clock;
use crate::commit::commit;
use crate::domain::{Ip, IpQuery};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/ip", get(list).post(update))
        .route("/v1/ip/find", post(find))
        .route("/v1/ip/allocate", post(allocate::any))
        .route("/v1/ip/allocate/{ip}", post(allocate::specific))
        .route("/v1/ip/free/{id}", delete(free))
        .route("/v1/ip/{id}", get(read))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<IpResponse>>, ApiError> {
    matching(&state.space, &IpQuery::default()).await.map(Json)
}

async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<IpFindRequest>,
) -> Result<Json<Vec<IpResponse>>, ApiError> {
    matching(&state.space, &body.into_query()?).await.map(Json)
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<IpResponse>, ApiError> {
    let (_, ip) = one(&state.space, &id).await?;
    Ok(Json(ip.value.into()))
}

/// Changes what is given. An address that was made to stay stays.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<IpUpdateRequest>,
) -> Result<Json<IpResponse>, ApiError> {
    let id = body.ipaddress.unwrap_or_default();
    address("ipaddress", &id)?;
    let (scope, old) = one(&state.space, &id).await?;
    unchanged::<Ip>(&id, old.value.times, body.changed)?;
    let mut new = old.value.clone();
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(&mut new.tags, body.tags);
    if let Some(kind) = wire::kind(body.kind)? {
        new.change_type(kind)?;
    }
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    let mut batch = Batch::new(scope.clone());
    batch.replace(&old, &new)?;
    match commit(state.space.store(&scope), batch).await {
        Ok(_) => Ok(Json(new.into())),
        Err(Error::Conflict(_)) => Err(changed::<Ip>(&id)),
        Err(error) => Err(error.into()),
    }
}

/// Gives an address back that no machine uses.
async fn free(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<IpResponse>, ApiError> {
    let mut retry = Retry::new("freeIP");
    loop {
        let (scope, ip) = one(&state.space, &id).await?;
        let machines: Vec<_> = ip.value.machines().collect();
        if !machines.is_empty() {
            return Err(ApiError::bad_request(format!(
                "ip {id} cannot be freed, it is in use by machine {}",
                machines.join(", ")
            )));
        }
        match state.space.free_ip(&scope, &ip).await {
            Ok(()) => return Ok(Json(ip.value.into())),
            Err(Ok(key)) => retry.after(&key).await?,
            Err(Err(error)) => return Err(error),
        }
    }
}

/// Every address that matches, ordered. Linear in the number of addresses, of the
/// network or project if one is given.
async fn matching(space: &Space, query: &IpQuery) -> Result<Vec<IpResponse>, ApiError> {
    if let Some(address) = query.address {
        return Ok(match one(space, &address.to_string()).await {
            Ok((_, ip)) if query.matches(&ip.value) => vec![ip.value.into()],
            Ok(_) => vec![],
            Err(error) if error.status == axum::http::StatusCode::NOT_FOUND => vec![],
            Err(error) => return Err(error),
        });
    }
    let filter = match (&query.network, &query.project) {
        (Some(network), _) => Filter::eq("network", network.as_str()),
        (None, Some(project)) => Filter::eq("project", project.as_str()),
        (None, None) => Filter::all(),
    };
    let mut found = Vec::new();
    for scope in space.partitions().await? {
        let ips = space
            .table::<Ip>(&scope)
            .list(filter.clone(), Space::READ)
            .await?;
        let ips = ips.into_iter().map(|ip| ip.value);
        found.extend(ips.filter(|ip| query.matches(ip)));
    }
    found.sort_by_key(|ip| ip.address);
    Ok(found.into_iter().map(Into::into).collect())
}

/// The address and the partition that hands it out; 404 if nobody has it.
async fn one(space: &Space, id: &str) -> Result<(Scope, Stored<Ip>), ApiError> {
    let none = || ApiError::no_entity("ip", id);
    let address = address("ip", id).map_err(|_| none())?.to_string();
    for scope in space.partitions().await? {
        if let Some(found) = space.table::<Ip>(&scope).get(&address, Space::READ).await? {
            return Ok((scope, found));
        }
    }
    Err(none())
}
