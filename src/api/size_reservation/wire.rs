//! Wire types of size reservations.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{Texts, filled};
use crate::domain::{Invalid, PartitionId, SizeReservation, SizeReservationQuery};

/// Body of create and update; what is left out of an update stays as it is, and so do size and
/// project.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReservationRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub sizeid: Option<String>,
    pub projectid: Option<String>,
    pub partitionids: Option<Vec<String>>,
    pub amount: Option<i32>,
    pub labels: Option<Texts>,
}

/// Body of find and usage.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReservationListRequest {
    id: Option<String>,
    partitionid: Option<String>,
    projectid: Option<String>,
    sizeid: Option<String>,
}

/// A size reservation in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ReservationResponse {
    #[serde(flatten)]
    common: Common,
    partitionids: Vec<String>,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

/// How far a reservation is used in one of its partitions.
#[derive(Debug, Serialize)]
pub(super) struct UsageResponse {
    #[serde(flatten)]
    common: Common,
    partitionid: String,
    usedamount: u32,
    projectallocations: u32,
}

#[derive(Debug, Serialize)]
struct Common {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    sizeid: String,
    projectid: String,
    amount: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// The ids of partitions.
pub(super) fn partitions(ids: Vec<String>) -> Result<Vec<PartitionId>, Invalid> {
    let parse = |(i, id): (usize, String)| {
        PartitionId::try_from(id)
            .map_err(|invalid| Invalid::new(format!("partitionids[{i}]"), invalid.reason))
    };
    ids.into_iter().enumerate().map(parse).collect()
}

/// The number of machines; what is below 0 counts as 0.
pub(super) fn amount(amount: i32) -> u32 {
    u32::try_from(amount).unwrap_or(0)
}

// === impl ReservationListRequest ===

impl From<ReservationListRequest> for SizeReservationQuery {
    fn from(body: ReservationListRequest) -> Self {
        Self {
            id: filled(body.id),
            size: filled(body.sizeid),
            project: filled(body.projectid),
            partition: filled(body.partitionid),
        }
    }
}

// === impl ReservationResponse ===

impl From<SizeReservation> for ReservationResponse {
    fn from(reservation: SizeReservation) -> Self {
        Self {
            common: Common::from(&reservation),
            partitionids: reservation.partitions.into_iter().map(Into::into).collect(),
            created: reservation.times.created,
            changed: reservation.times.changed,
        }
    }
}

// === impl UsageResponse ===

impl UsageResponse {
    /// In `partition`, where the project has `allocated` machines of the size.
    pub fn new(reservation: &SizeReservation, partition: &PartitionId, allocated: u32) -> Self {
        Self {
            common: Common::from(reservation),
            partitionid: partition.as_str().to_owned(),
            usedamount: reservation.used(allocated),
            projectallocations: allocated,
        }
    }
}

// === impl Common ===

impl From<&SizeReservation> for Common {
    fn from(reservation: &SizeReservation) -> Self {
        Self {
            id: reservation.id.as_str().to_owned(),
            name: reservation.name.clone(),
            description: reservation.description.clone(),
            sizeid: reservation.size.as_str().to_owned(),
            projectid: reservation.project.as_str().to_owned(),
            amount: reservation.amount,
            labels: reservation.labels.clone(),
        }
    }
}
