//! Deleting networks.

use axum::Json;
use axum::extract::State;
use metal_storage::{Scope, Stored};

use super::super::extract::PathId;
use super::super::{ApiError, ApiState};
use super::answer;
use super::wire::NetworkResponse;
use crate::domain::Network;

/// Deletes a network that nothing uses.
pub(super) async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<NetworkResponse>, ApiError> {
    let (scope, network) = state.space.network_now(&id).await?;
    remove(&state, &scope, network).await
}

/// Gives a project's network back to its super network.
pub(super) async fn free(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<NetworkResponse>, ApiError> {
    let (scope, network) = state.space.network_now(&id).await?;
    if network.value.parent.is_none() {
        return Err(ApiError::refused(format!(
            "network {id:?} is not part of a super network: delete it instead"
        )));
    }
    remove(&state, &scope, network).await
}

async fn remove(
    state: &ApiState,
    scope: &Scope,
    network: Stored<Network>,
) -> Result<Json<NetworkResponse>, ApiError> {
    let space = &state.space;
    let answer = answer(space, scope, network.value.clone()).await?;
    match network.value.parent {
        Some(_) => space.delete_child(scope, &network).await?,
        None => space.delete_root(scope, &network).await?,
    }
    Ok(answer)
}
