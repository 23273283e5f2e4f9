//! `/v1/partition/capacity`: how many machines are free.

use axum::Json;
use axum::extract::State;
use metal_storage::Filter;
use serde::{Deserialize, Serialize};

use super::partitions;
use crate::api::extract::JsonOf;
use crate::api::records::Records;
use crate::api::wire::filled;
use crate::api::{ApiError, ApiState};
use crate::domain::{Capacity, MachineQuery, Partition, SizeReservation};

#[derive(Debug, Default, Deserialize)]
pub(super) struct CapacityRequest {
    id: Option<String>,
    sizeid: Option<String>,
    projectid: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct CapacityResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    servers: Vec<ServerResponse>,
}

/// The machines of one size.
#[derive(Debug, Serialize)]
struct ServerResponse {
    size: String,
    total: u32,
    phoned_home: u32,
    waiting: u32,
    other: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    othermachines: Vec<String>,
    allocated: u32,
    allocatable: u32,
    free: u32,
    unavailable: u32,
    faulty: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faultymachines: Vec<String>,
    reservations: u32,
    usedreservations: u32,
    remainingreservations: u32,
}

/// The machines of every partition, or of one, by size: of every size that the partition has
/// machines or reservations of, or of one. Costs a list of these machines, and of the reservations.
pub(super) async fn capacity(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<CapacityRequest>,
) -> Result<Json<Vec<CapacityResponse>>, ApiError> {
    let asked = MachineQuery {
        partition: filled(body.id),
        size: filled(body.sizeid),
    };
    let project = filled(body.projectid);
    let partitions = match &asked.partition {
        Some(id) => vec![partitions(&state).get(id).await?.value],
        None => partitions(&state).list(Filter::all()).await?,
    };
    let reservations = Records::<SizeReservation>::new(&state.store);
    let mut reservations = reservations.list(Filter::all()).await?;
    let machines = state.machines.list(&asked).await?;
    if let Some(size) = &asked.size {
        reservations.retain(|reservation| reservation.size.as_str() == size);
    }
    let answer = partitions.into_iter().map(|partition| {
        let sizes = Capacity::of(&partition, &machines, &reservations, project.as_deref());
        CapacityResponse::new(partition, sizes.into_iter().map(Into::into).collect())
    });
    Ok(Json(answer.collect()))
}

// === impl CapacityResponse ===

impl CapacityResponse {
    fn new(partition: Partition, servers: Vec<ServerResponse>) -> Self {
        Self {
            id: partition.id.into(),
            name: partition.name,
            description: partition.description,
            servers,
        }
    }
}

// === impl ServerResponse ===

impl From<(String, Capacity)> for ServerResponse {
    fn from((size, capacity): (String, Capacity)) -> Self {
        Self {
            size,
            total: capacity.total,
            phoned_home: capacity.phoned_home,
            waiting: capacity.waiting,
            other: capacity.other.len(),
            allocated: capacity.allocated,
            allocatable: capacity.allocatable,
            free: capacity.free,
            unavailable: capacity.unavailable,
            faulty: capacity.faulty.len(),
            reservations: capacity.reservations,
            usedreservations: capacity.used_reservations,
            remainingreservations: capacity.remaining_reservations(),
            othermachines: capacity.other,
            faultymachines: capacity.faulty,
        }
    }
}
