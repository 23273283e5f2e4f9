//! `/v1/filesystemlayout`: how the disks of machines are partitioned and formatted.

mod request;
mod response;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::Filter;

use self::request::{LayoutRequest, MatchRequest, TryRequest};
use self::response::LayoutResponse;
use super::exclusive;
use super::extract::{JsonOf, PathId};
use super::image;
use super::records::{Records, unchanged};
use super::wire::required;
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{FilesystemLayout, LayoutId, Size, Timestamps};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/filesystemlayout", get(list).put(create).post(update))
        .route("/v1/filesystemlayout/try", post(attempt))
        .route("/v1/filesystemlayout/matches", post(matches))
        .route("/v1/filesystemlayout/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<LayoutResponse>>, ApiError> {
    let layouts = layouts(&state).list(Filter::all()).await?;
    Ok(Json(layouts.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<LayoutResponse>, ApiError> {
    let layout = layouts(&state).get(&id).await?;
    Ok(Json(layout.value.into()))
}

/// Makes a layout that no machine could have another one instead of.
async fn create(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<LayoutRequest>,
) -> Result<(StatusCode, Json<LayoutResponse>), ApiError> {
    let id = LayoutId::try_from(body.id.take().unwrap_or_default())?;
    let layout = body.into_layout(id, Timestamps::new(clock::wall()))?;
    layouts(&state).absent(layout.id.as_str()).await?;
    let refuse = |other: &FilesystemLayout| overlap(&layout, other);
    let operation = "createFilesystemLayout";
    exclusive::write(&state.store, operation, None, &layout, refuse).await?;
    Ok((StatusCode::CREATED, Json(layout.into())))
}

/// Replaces the whole layout.
async fn update(
    State(state): State<ApiState>,
    JsonOf(mut body): JsonOf<LayoutRequest>,
) -> Result<Json<LayoutResponse>, ApiError> {
    let id = LayoutId::try_from(body.id.take().unwrap_or_default())?;
    let old = layouts(&state).get(id.as_str()).await?;
    unchanged::<FilesystemLayout>(id.as_str(), old.value.times, body.changed)?;
    let new = body.into_layout(id, old.value.times.touched(clock::wall()))?;
    let refuse = |other: &FilesystemLayout| overlap(&new, other);
    let operation = "updateFilesystemLayout";
    exclusive::write(&state.store, operation, Some(&old), &new, refuse).await?;
    Ok(Json(new.into()))
}

async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<LayoutResponse>, ApiError> {
    let layouts = layouts(&state);
    let layout = layouts.get(&id).await?;
    layouts.delete(&layout).await?;
    Ok(Json(layout.value.into()))
}

/// The layout that a machine of this size gets with this image, or its newest patch.
async fn attempt(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<TryRequest>,
) -> Result<Json<LayoutResponse>, ApiError> {
    let size = required("size", body.size)?;
    let image = required("image", body.image)?;
    let size = Records::<Size>::new(&state.store).get(&size).await?.value;
    let image = image::newest(&state, image).await?;
    let layouts = layouts(&state).list(Filter::all()).await?;
    match FilesystemLayout::choose(&layouts, &size.id, &image.id) {
        Some(layout) => Ok(Json(layout.clone().into())),
        None => Err(ApiError::refused(format!(
            "could not find a matching filesystemLayout for size:{} and image:{}",
            size.id, image.id
        ))),
    }
}

/// The layout, if the disks of the machine are enough for it.
async fn matches(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<MatchRequest>,
) -> Result<Json<LayoutResponse>, ApiError> {
    let machine = required("machine", body.machine)?;
    let layout = required("filesystemlayout", body.filesystemlayout)?;
    let layout = layouts(&state).get(&layout).await?.value;
    let machine = state.machines.get(&machine).await?;
    let fits = layout.fits(&machine.hardware);
    fits.map_err(|misfit| ApiError::refused(misfit.to_string()))?;
    Ok(Json(layout.into()))
}

fn layouts(state: &ApiState) -> Records<FilesystemLayout> {
    Records::new(&state.store)
}

fn overlap(layout: &FilesystemLayout, other: &FilesystemLayout) -> Option<ApiError> {
    layout.overlaps(other).then(|| {
        ApiError::bad_request(format!(
            "constraints: filesystemlayout {:?} overlaps filesystemlayout {:?}, a machine could have both",
            layout.id.as_str(),
            other.id.as_str()
        ))
    })
}
