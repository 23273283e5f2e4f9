//! Making networks of projects, out of their partition's super network.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use metal_storage::{Filter, Scope, Stored};
use uuid::Uuid;

use super::super::extract::JsonOf;
use super::super::space::Space;
use super::super::wire::{filled, texts};
use super::super::{ApiError, ApiState};
use super::answer;
use super::create::{partition, project};
use super::wire::{NetworkAllocateRequest, NetworkResponse};
use crate::clock;
use crate::domain::{ChildLengths, Family, Network, NetworkId, Prefixes, Timestamps};

/// Makes a network of a prefix per address family, with a VRF of its own, for a project.
pub(super) async fn allocate(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<NetworkAllocateRequest>,
) -> Result<(StatusCode, Json<NetworkResponse>), ApiError> {
    let space = &state.space;
    let empty = |field: &str| ApiError::bad_request(format!("{field} should not be empty"));
    let project = project(body.projectid)?.ok_or_else(|| empty("projectid"))?;
    let partition = partition(body.partitionid)?.ok_or_else(|| empty("partitionid"))?;
    let family = filled(body.addressfamily)
        .map(|word| Family::parse("addressfamily", &word))
        .transpose()?;
    let destinations = body.destinationprefixes.unwrap_or_default();
    let destinations = Network::other_prefixes("destinationprefixes", &destinations)?;
    let wanted = Network::child_lengths("length", &body.length.unwrap_or_default())?;
    space.project(project.as_str()).await?;
    space.partition(partition.as_str()).await?;
    let scope = space.scope(Some(&partition))?;
    let parent = parent(space, &scope, partition.as_str()).await?;
    let lengths = lengths(&parent.value, family, wanted)?;
    let child = Network {
        id: NetworkId::try_from(Uuid::new_v4().to_string())?,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        labels: texts(body.labels),
        partition: Some(partition),
        project: Some(project),
        parent: Some(parent.value.id.clone()),
        // Known once they are acquired.
        prefixes: Prefixes::of(vec![]),
        destinations,
        announcable: vec![],
        child_lengths: BTreeMap::new(),
        private_super: false,
        underlay: false,
        nat: body.nat.unwrap_or_default(),
        shared: body.shared.unwrap_or_default(),
        vrf: None,
        vrf_shared: false,
    };
    for destination in &child.destinations {
        let family = Family::from(*destination);
        if !lengths.contains_key(&family) {
            return Err(ApiError::bad_request(format!(
                "destinationprefixes: {destination} is {family}, and the network gets no {family} prefix"
            )));
        }
    }
    let made = space.allocate_child(&parent, child, lengths).await?;
    let answer = answer(space, &scope, made).await?;
    Ok((StatusCode::CREATED, answer))
}

/// The partition's private super network.
async fn parent(
    space: &Space,
    scope: &Scope,
    partition: &str,
) -> Result<Stored<Network>, ApiError> {
    let networks = space.table::<Network>(scope);
    let found = networks.page(Filter::eq("kind", "super"), None, 1, Space::READ);
    found.await?.into_iter().next().ok_or_else(|| {
        ApiError::not_found(format!(
            "no private super network in partition {partition:?} found"
        ))
    })
}

/// How long the prefixes are to be: as given, else as the parent says; of one family if one is
/// asked for.
fn lengths(
    parent: &Network,
    family: Option<Family>,
    given: ChildLengths,
) -> Result<ChildLengths, ApiError> {
    let mut lengths = parent.child_lengths.clone();
    if let Some(family) = family {
        lengths.retain(|of, _| *of == family);
        if lengths.is_empty() {
            return Err(ApiError::bad_request(format!(
                "addressfamily: {family} specified, but no prefix of it in super network {:?}",
                parent.id.as_str()
            )));
        }
    }
    for (of, length) in given {
        match lengths.get_mut(&of) {
            Some(default) => *default = length,
            None => {
                return Err(ApiError::bad_request(format!(
                    "length: the network gets no {of} prefix"
                )));
            }
        }
        let longest = parent.prefixes.of_family(of).map(|p| p.prefix_len()).min();
        if longest.is_some_and(|longest| length <= longest) {
            return Err(ApiError::bad_request(format!(
                "length: {length} is not greater than that of the super network's {of} prefix"
            )));
        }
    }
    Ok(lengths)
}
