//! Making networks of prefixes that the operator gives.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::super::extract::JsonOf;
use super::super::wire::{filled, texts};
use super::super::{ApiError, ApiState};
use super::answer;
use super::wire::{NetworkCreateRequest, NetworkResponse};
use crate::clock;
use crate::domain::{Network, NetworkId, PartitionId, Prefixes, ProjectId, Timestamps};

/// What metal-api's second version calls kinds of networks.
const NETWORK_TYPES: [&str; 6] = [
    "external",
    "underlay",
    "super",
    "super-namespaced",
    "child",
    "child-shared",
];
/// And kinds of masquerading.
const NAT_TYPES: [&str; 2] = ["none", "ipv4-masquerade"];

/// Makes a network whose prefixes no other has.
pub(super) async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<NetworkCreateRequest>,
) -> Result<(StatusCode, Json<NetworkResponse>), ApiError> {
    let network = parse(body)?;
    let made = match &network.parent {
        Some(_) => state.space.make_child(network).await?,
        None => state.space.make_root(&network).await?,
    };
    let scope = state.space.scope(made.partition.as_ref())?;
    let answer = answer(&state.space, &scope, made).await?;
    Ok((StatusCode::CREATED, answer))
}

fn parse(body: NetworkCreateRequest) -> Result<Network, ApiError> {
    let id = filled(body.id).unwrap_or_else(|| Uuid::new_v4().to_string());
    let vrf = |vrf: i64| {
        u32::try_from(vrf).map_err(|_| ApiError::bad_request(format!("vrf: {vrf} is none")))
    };
    let prefixes = body.prefixes.unwrap_or_default();
    let destinations = body.destinationprefixes.unwrap_or_default();
    let announcable = body.additional_announcable_cidrs.unwrap_or_default();
    let lengths = body.defaultchildprefixlength.unwrap_or_default();
    let network = Network {
        id: NetworkId::try_from(id)?,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        labels: texts(body.labels),
        partition: partition(body.partitionid)?,
        project: project(body.projectid)?,
        parent: filled(body.parentnetworkid)
            .map(NetworkId::try_from)
            .transpose()?,
        prefixes: Prefixes::parse("prefixes", &prefixes)?,
        destinations: Network::other_prefixes("destinationprefixes", &destinations)?,
        announcable: Network::other_prefixes("additionalAnnouncableCIDRs", &announcable)?,
        child_lengths: Network::child_lengths("defaultchildprefixlength", &lengths)?,
        private_super: body.privatesuper.unwrap_or_default(),
        underlay: body.underlay.unwrap_or_default(),
        nat: body.nat.unwrap_or_default(),
        shared: body.shared.unwrap_or_default(),
        vrf: body.vrf.filter(|vrf| *vrf != 0).map(vrf).transpose()?,
        vrf_shared: body.vrfshared.unwrap_or_default(),
    };
    network.check()?;
    agree(
        "networktype",
        filled(body.networktype),
        network.network_type(),
        &NETWORK_TYPES,
    )?;
    agree(
        "nattype",
        filled(body.nattype),
        network.nat_type(),
        &NAT_TYPES,
    )?;
    Ok(network)
}

/// The words of the second version say what the other fields say, too: they must not contradict
/// them.
fn agree(field: &str, given: Option<String>, is: &str, words: &[&str]) -> Result<(), ApiError> {
    match given {
        Some(given) if !words.contains(&given.as_str()) => Err(ApiError::bad_request(format!(
            "{field}: {given:?} is none of {}",
            words.join(", ")
        ))),
        Some(given) if given != is => Err(ApiError::bad_request(format!(
            "{field}: {given:?} contradicts the other fields, which say {is:?}"
        ))),
        _ => Ok(()),
    }
}

/// The partition that a caller wrote, if any.
pub(super) fn partition(id: Option<String>) -> Result<Option<PartitionId>, ApiError> {
    let parse = |id| {
        PartitionId::try_from(id)
            .map_err(|invalid| ApiError::bad_request(format!("partition{invalid}")))
    };
    filled(id).map(parse).transpose()
}

/// The project that a caller wrote, if any.
pub(super) fn project(id: Option<String>) -> Result<Option<ProjectId>, ApiError> {
    let parse = |id| {
        ProjectId::try_from(id)
            .map_err(|invalid| ApiError::bad_request(format!("project{invalid}")))
    };
    filled(id).map(parse).transpose()
}
