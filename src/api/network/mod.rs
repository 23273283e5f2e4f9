//! `/v1/network`: prefixes, and who may use them for what.

mod allocate;
mod create;
mod remove;
mod update;
mod wire;

use axum::extract::State;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use metal_storage::{Filter, Scope};

use self::wire::{NetworkFindRequest, NetworkResponse};
use super::extract::{JsonOf, PathId};
use super::space::Space;
use super::{ApiError, ApiState};
use crate::domain::{Network, NetworkQuery};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(
            "/v1/network",
            get(list).put(create::create).post(update::update),
        )
        .route("/v1/network/find", post(find))
        .route("/v1/network/allocate", post(allocate::allocate))
        .route(
            "/v1/network/free/{id}",
            delete(remove::free).post(remove::free),
        )
        .route("/v1/network/{id}", get(read).delete(remove::delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<NetworkResponse>>, ApiError> {
    matching(&state.space, &NetworkQuery::default())
        .await
        .map(Json)
}

async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<NetworkFindRequest>,
) -> Result<Json<Vec<NetworkResponse>>, ApiError> {
    matching(&state.space, &body.into_query()?).await.map(Json)
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<NetworkResponse>, ApiError> {
    let (scope, network) = state.space.network(&id).await?;
    answer(&state.space, &scope, network.value).await
}

/// Every network that matches, ordered by id. Linear in the number of networks, of those with the
/// parent or project if one is given.
async fn matching(space: &Space, query: &NetworkQuery) -> Result<Vec<NetworkResponse>, ApiError> {
    let scopes = match query.partition.as_deref() {
        None => space.scopes().await?,
        // What is in one partition is in its scope alone.
        Some(partition) => match partition.to_owned().try_into() {
            Ok(partition) => vec![space.scope(Some(&partition))?],
            Err(_) => return Ok(vec![]),
        },
    };
    let filter = match (&query.parent, &query.project) {
        (Some(parent), _) => Filter::eq("parent", parent.as_str()),
        (None, Some(project)) => Filter::eq("project", project.as_str()),
        (None, None) => Filter::all(),
    };
    let mut found = Vec::new();
    for scope in &scopes {
        let networks = space.table::<Network>(scope);
        for network in networks.list(filter.clone(), Space::READ).await? {
            if query.matches(&network.value) {
                found.push((scope, network.value));
            }
        }
    }
    found.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    if let [(scope, network)] = &found[..] {
        let usage = space.usage(scope, network).await?;
        return Ok(vec![NetworkResponse::new(network.clone(), &usage)]);
    }
    if found.is_empty() {
        return Ok(vec![]);
    }
    let of_all = found.iter().any(|(scope, _)| **scope == Scope::Global);
    let scopes = match of_all {
        true => space.scopes().await?,
        false => scopes.clone(),
    };
    let heads = space.heads(&scopes).await?;
    let answer = |(scope, network): (&Scope, Network)| {
        let usage = heads.usage(scope, &network);
        NetworkResponse::new(network, &usage)
    };
    Ok(found.into_iter().map(answer).collect())
}

async fn answer(
    space: &Space,
    scope: &Scope,
    network: Network,
) -> Result<Json<NetworkResponse>, ApiError> {
    let usage = space.usage(scope, &network).await?;
    Ok(Json(NetworkResponse::new(network, &usage)))
}
