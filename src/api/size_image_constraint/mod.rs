//! `/v1/size-image-constraint`: which versions of images a size may be installed with.
//!
//! A constraint has the id of its size. The size may be made later; one that has a constraint is
//! not deleted.

mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::Filter;

use self::wire::{ConstraintRequest, ConstraintResponse, EmptyBody, TryRequest};
use super::extract::{JsonOf, PathId};
use super::image;
use super::records::Records;
use super::wire::{Texts, required, set, texts};
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{ImageId, Size, SizeImageConstraint, SizeImageConstraintId, Timestamps};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(
            "/v1/size-image-constraint",
            get(list).put(create).post(update),
        )
        .route("/v1/size-image-constraint/try", post(attempt))
        .route("/v1/size-image-constraint/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<ConstraintResponse>>, ApiError> {
    let constraints = constraints(&state).list(Filter::all()).await?;
    Ok(Json(constraints.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ConstraintResponse>, ApiError> {
    let constraint = constraints(&state).get(&id).await?;
    Ok(Json(constraint.value.into()))
}

async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ConstraintRequest>,
) -> Result<(StatusCode, Json<ConstraintResponse>), ApiError> {
    let constraint = SizeImageConstraint {
        id: SizeImageConstraintId::try_from(body.id.unwrap_or_default())?,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        images: texts(body.constraints.unwrap_or_default().images),
    };
    constraint.check()?;
    constraints(&state).insert(&constraint).await?;
    Ok((StatusCode::CREATED, Json(constraint.into())))
}

/// Changes what is given.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ConstraintRequest>,
) -> Result<Json<ConstraintResponse>, ApiError> {
    let id = SizeImageConstraintId::try_from(body.id.unwrap_or_default())?;
    let constraints = constraints(&state);
    let old = constraints.get(id.as_str()).await?;
    let mut new = old.value.clone();
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    let images = body.constraints.and_then(|constraints| constraints.images);
    set(&mut new.images, images.map(Texts::into_map));
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    constraints.replace(&old, &new).await?;
    Ok(Json(new.into()))
}

async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ConstraintResponse>, ApiError> {
    let constraints = constraints(&state);
    let constraint = constraints.get(&id).await?;
    constraints.delete(&constraint).await?;
    Ok(Json(constraint.value.into()))
}

/// Whether a machine of this size may be installed with this image, or its newest patch.
async fn attempt(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<TryRequest>,
) -> Result<Json<EmptyBody>, ApiError> {
    let size = required("size", body.size)?;
    let image = required("image", body.image)?;
    let size = Records::<Size>::new(&state.store).get(&size).await?.value;
    let image = image::newest(&state, image).await?;
    check(&state, size.id.as_str(), &image.id).await?;
    Ok(Json(EmptyBody {}))
}

/// Refuses with 422 what the constraint of the size does not allow. Costs one read.
async fn check(state: &ApiState, size: &str, image: &ImageId) -> Result<(), ApiError> {
    let Some(constraint) = constraints(state).find(size).await? else {
        return Ok(());
    };
    match constraint.value.violated_by(image) {
        None => Ok(()),
        Some((os, versions)) => Err(ApiError::refused(format!(
            "given size:{size} with image:{image} does violate image constraint:{os} {versions}"
        ))),
    }
}

fn constraints(state: &ApiState) -> Records<SizeImageConstraint> {
    Records::new(&state.store)
}
