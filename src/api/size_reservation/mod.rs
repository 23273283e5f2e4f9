//! `/v1/size/reservations`: machines that are kept free for projects.

mod references;
mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::Filter;

pub(super) use self::references::Unreserved;
use self::wire::{
    ReservationListRequest, ReservationRequest, ReservationResponse, UsageResponse, amount,
    partitions,
};
use super::extract::{JsonOf, PathId};
use super::records::Records;
use super::wire::{Texts, set, texts};
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{
    Allocations, Invalid, MachineQuery, ProjectId, SizeId, SizeReservation, SizeReservationId,
    SizeReservationQuery, Timestamps,
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/size/reservations", get(list).put(create).post(update))
        .route("/v1/size/reservations/find", post(find))
        .route("/v1/size/reservations/usage", post(usage))
        .route("/v1/size/reservations/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<ReservationResponse>>, ApiError> {
    let reservations = reservations(&state).list(Filter::all()).await?;
    Ok(Json(reservations.into_iter().map(Into::into).collect()))
}

/// Every reservation that matches all that is given, ordered by id.
async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ReservationListRequest>,
) -> Result<Json<Vec<ReservationResponse>>, ApiError> {
    let reservations = meant(&state, &body.into()).await?;
    Ok(Json(reservations.into_iter().map(Into::into).collect()))
}

/// How far each reservation is used in each of its partitions, or in the one that is given. Costs
/// a list of the machines of the partition and size that are given, of all if none are.
async fn usage(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ReservationListRequest>,
) -> Result<Json<Vec<UsageResponse>>, ApiError> {
    let query = SizeReservationQuery::from(body);
    let reservations = meant(&state, &query).await?;
    let machines = MachineQuery {
        partition: query.partition.clone(),
        size: query.size.clone(),
    };
    let machines = state.machines.list(&machines).await?;
    let allocations = Allocations::count(&machines);
    let mut usages = Vec::new();
    for reservation in &reservations {
        for partition in &reservation.partitions {
            let asked = query.partition.as_deref();
            if asked.is_none_or(|asked| asked == partition.as_str()) {
                let allocated = allocations.of(&reservation.project, partition, &reservation.size);
                usages.push(UsageResponse::new(reservation, partition, allocated));
            }
        }
    }
    Ok(Json(usages))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ReservationResponse>, ApiError> {
    let reservation = reservations(&state).get(&id).await?;
    Ok(Json(reservation.value.into()))
}

/// Makes a reservation of a size and project, in partitions, that exist.
async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ReservationRequest>,
) -> Result<(StatusCode, Json<ReservationResponse>), ApiError> {
    let named = |field: &str, invalid: Invalid| Invalid::new(field, invalid.reason);
    let reservation = SizeReservation {
        id: SizeReservationId::try_from(body.id.unwrap_or_default())?,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        size: SizeId::try_from(body.sizeid.unwrap_or_default())
            .map_err(|invalid| named("sizeid", invalid))?,
        project: ProjectId::try_from(body.projectid.unwrap_or_default())
            .map_err(|invalid| named("projectid", invalid))?,
        partitions: partitions(body.partitionids.unwrap_or_default())?,
        amount: amount(body.amount.unwrap_or_default()),
        labels: texts(body.labels),
    };
    reservation.check()?;
    reservations(&state).absent(reservation.id.as_str()).await?;
    references::write(&state, "createSizeReservation", None, &reservation).await?;
    Ok((StatusCode::CREATED, Json(reservation.into())))
}

/// Changes what is given.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ReservationRequest>,
) -> Result<Json<ReservationResponse>, ApiError> {
    let id = SizeReservationId::try_from(body.id.unwrap_or_default())?;
    let old = reservations(&state).get(id.as_str()).await?;
    let mut new = old.value.clone();
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(
        &mut new.partitions,
        body.partitionids.map(partitions).transpose()?,
    );
    set(&mut new.amount, body.amount.map(amount));
    set(&mut new.labels, body.labels.map(Texts::into_map));
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    references::write(&state, "updateSizeReservation", Some(&old), &new).await?;
    Ok(Json(new.into()))
}

async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ReservationResponse>, ApiError> {
    let reservations = reservations(&state);
    let reservation = reservations.get(&id).await?;
    reservations.delete(&reservation).await?;
    Ok(Json(reservation.value.into()))
}

fn reservations(state: &ApiState) -> Records<SizeReservation> {
    Records::new(&state.store)
}

/// The reservations that a query means, ordered by id. Linear in the number of those of the size
/// or project that is given, of all if none is.
async fn meant(
    state: &ApiState,
    query: &SizeReservationQuery,
) -> Result<Vec<SizeReservation>, ApiError> {
    let reservations = reservations(state);
    // What no id can be is compared, and found nowhere.
    let id = |text: &Option<String>| text.clone().filter(|id| reservations.key(id).is_ok());
    let filter = match (id(&query.size), id(&query.project)) {
        (Some(size), _) => Filter::eq("size", size),
        (None, Some(project)) => Filter::eq("project", project),
        (None, None) => Filter::all(),
    };
    let mut found = reservations.list(filter).await?;
    found.retain(|reservation| query.matches(reservation));
    Ok(found)
}
