//! Handing addresses out.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::super::extract::{JsonOf, PathId};
use super::super::space::Wanted;
use super::super::wire::filled;
use super::super::{ApiError, ApiState};
use super::wire::{IpAllocateRequest, IpResponse, address, family, kind};
use crate::clock;
use crate::domain::{Family, Ip, IpType, MACHINE_TAG, Network, ProjectId, Timestamps};

/// Hands out any address of a network.
pub(super) async fn any(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<IpAllocateRequest>,
) -> Result<(StatusCode, Json<IpResponse>), ApiError> {
    allocate(&state, body, None).await
}

/// Hands out one address of a network.
pub(super) async fn specific(
    State(state): State<ApiState>,
    PathId(wanted): PathId,
    JsonOf(body): JsonOf<IpAllocateRequest>,
) -> Result<(StatusCode, Json<IpResponse>), ApiError> {
    let wanted = address("ip", &wanted)?;
    allocate(&state, body, Some(wanted)).await
}

async fn allocate(
    state: &ApiState,
    body: IpAllocateRequest,
    wanted: Option<IpAddr>,
) -> Result<(StatusCode, Json<IpResponse>), ApiError> {
    let space = &state.space;
    let empty = |field: &str| ApiError::bad_request(format!("{field} should not be empty"));
    let network = filled(body.networkid).ok_or_else(|| empty("networkid"))?;
    let project = filled(body.projectid).ok_or_else(|| empty("projectid"))?;
    let project = ProjectId::try_from(project)
        .map_err(|invalid| ApiError::bad_request(format!("project{invalid}")))?;
    let family = family(body.addressfamily)?;
    if wanted.is_some() && family.is_some() {
        return Err(ApiError::bad_request(
            "addressfamily: not to be given together with an address, which has one",
        ));
    }
    let mut tags = body.tags.unwrap_or_default();
    if let Some(machine) = filled(body.machineid) {
        let tag = format!("{MACHINE_TAG}={machine}");
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut draft = Ip {
        // Known once there is one.
        id: String::new(),
        address: IpAddr::from([0, 0, 0, 0]),
        prefix: ipnet::IpNet::from(IpAddr::from([0, 0, 0, 0])),
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        network: network
            .clone()
            .try_into()
            .map_err(|_| ApiError::no_entity("network", &network))?,
        project,
        kind: kind(body.kind)?.unwrap_or(IpType::Ephemeral),
        tags,
        allocation: Uuid::new_v4(),
    };
    draft.check()?;
    let (scope, network) = space.network(&network).await?;
    let network = network.value;
    let project = space.project(draft.project.as_str()).await?;
    draft.project = project.value.id.clone();
    if !network.permits(&draft.project) {
        return Err(ApiError::bad_request(format!(
            "can not allocate ip for project {:?} because network belongs to {:?} and the network is not shared",
            draft.project.as_str(),
            network.project.as_ref().map_or("", |id| id.as_str())
        )));
    }
    let wanted = match wanted {
        Some(address) => Wanted::This(address),
        None => Wanted::Any(one_family(&network, family)?),
    };
    let ip = space
        .allocate_ip(&scope, &network, &project.value, wanted, draft)
        .await?;
    Ok((StatusCode::CREATED, Json(ip.into())))
}

/// The family asked for, else IPv4 if the network has any.
fn one_family(network: &Network, family: Option<Family>) -> Result<Family, ApiError> {
    match family {
        Some(family) if network.prefixes.has(family) => Ok(family),
        Some(family) => Err(ApiError::bad_request(format!(
            "there is no prefix for the given addressfamily:{family} present in network:{}",
            network.id
        ))),
        None if network.prefixes.has(Family::V4) => Ok(Family::V4),
        None => Ok(Family::V6),
    }
}
