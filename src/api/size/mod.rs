//! `/v1/size`: the classes of machines.

mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::{Batch, Error, Filter, Guard, Scope};

use self::wire::{ConstraintResponse, SizeRequest, SizeResponse, SuggestRequest, constraints};
use super::commit::commit;
use super::exclusive;
use super::extract::{JsonOf, PathId};
use super::records::{Records, unchanged};
use super::retry::Retry;
use super::size_reservation::Unreserved;
use super::wire::{Texts, required, set, texts};
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{Size, SizeId, SizeImageConstraint, Timestamps};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/size", get(list).put(create).post(update))
        .route("/v1/size/suggest", post(suggest))
        .route("/v1/size/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<SizeResponse>>, ApiError> {
    let sizes = sizes(&state).list(Filter::all()).await?;
    Ok(Json(sizes.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<SizeResponse>, ApiError> {
    let size = sizes(&state).get(&id).await?;
    Ok(Json(size.value.into()))
}

/// Makes a size that overlaps no other.
async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<SizeRequest>,
) -> Result<(StatusCode, Json<SizeResponse>), ApiError> {
    let size = Size {
        id: SizeId::try_from(body.id.unwrap_or_default())?,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        constraints: constraints(body.constraints.unwrap_or_default())?,
        labels: texts(body.labels),
    };
    size.check()?;
    sizes(&state).absent(size.id.as_str()).await?;
    let refuse = |other: &Size| overlap(&size, other);
    exclusive::write(&state.store, "createSize", None, &size, refuse).await?;
    Ok((StatusCode::CREATED, Json(size.into())))
}

/// Changes what is given.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<SizeRequest>,
) -> Result<Json<SizeResponse>, ApiError> {
    let id = SizeId::try_from(body.id.unwrap_or_default())?;
    let old = sizes(&state).get(id.as_str()).await?;
    unchanged::<Size>(id.as_str(), old.value.times, body.changed)?;
    let mut new = old.value.clone();
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(
        &mut new.constraints,
        body.constraints.map(constraints).transpose()?,
    );
    set(&mut new.labels, body.labels.map(Texts::into_map));
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    let refuse = |other: &Size| overlap(&new, other);
    exclusive::write(&state.store, "updateSize", Some(&old), &new, refuse).await?;
    Ok(Json(new.into()))
}

/// Deletes a size that no reservation and no image constraint refers to.
async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<SizeResponse>, ApiError> {
    let sizes = sizes(&state);
    let constraints = Records::<SizeImageConstraint>::new(&state.store);
    let in_use = |by: String| ApiError::refused(format!("size {id:?} is in use by {by}"));
    let mut retry = Retry::new("deleteSize");
    loop {
        let size = sizes.get(&id).await?;
        let filter = Filter::eq("size", id.as_str());
        let unreserved = Unreserved::check(&state, filter, |_| true, in_use).await?;
        if constraints.find(&id).await?.is_some() {
            return Err(in_use(format!("size image constraint {id:?}")));
        }
        let mut batch = Batch::new(Scope::Global);
        batch.delete(&size)?;
        batch.guards.push(Guard::Absent(constraints.key(&id)?));
        unreserved.require(&mut batch)?;
        match commit(&state.store, batch).await {
            Ok(_) => return Ok(Json(size.value.into())),
            Err(Error::Conflict(key)) => retry.after(&key).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The constraints of a size that means exactly this machine.
async fn suggest(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<SuggestRequest>,
) -> Result<Json<Vec<ConstraintResponse>>, ApiError> {
    let id = required("machineID", body.machine_id)?;
    let machine = state.machines.get(&id).await?;
    let constraints = machine.hardware.suggest();
    Ok(Json(constraints.into_iter().map(Into::into).collect()))
}

fn sizes(state: &ApiState) -> Records<Size> {
    Records::new(&state.store)
}

fn overlap(size: &Size, other: &Size) -> Option<ApiError> {
    size.overlaps(other).then(|| {
        ApiError::bad_request(format!(
            "constraints: size {:?} overlaps size {:?}, a machine could be of both",
            size.id.as_str(),
            other.id.as_str()
        ))
    })
}
