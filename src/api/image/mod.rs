//! `/v1/image`: the operating systems that machines can be installed with.
//!
//! `show-usage` is accepted and has nothing to show as long as no machine uses an image.

mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::SubsecRound;
use metal_storage::Filter;

use self::wire::{ImageFindRequest, ImageRequest, ImageResponse, classification, features};
use super::extract::{JsonOf, PathId};
use super::records::{Records, unchanged};
use super::wire::{date, filled, moment, set};
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{Image, ImageId, Timestamps};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/image", get(list).put(create).post(update))
        .route("/v1/image/find", post(find))
        .route("/v1/image/{id}", get(read).delete(delete))
        .route("/v1/image/{id}/latest", get(latest))
        .route("/v1/image/{id}/query", get(query))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<ImageResponse>>, ApiError> {
    let images = images(&state).list(Filter::all()).await?;
    Ok(Json(images.into_iter().map(Into::into).collect()))
}

/// Every image that matches all that is given, ordered by id. Linear in the number of images.
async fn find(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ImageFindRequest>,
) -> Result<Json<Vec<ImageResponse>>, ApiError> {
    let query = body.into_query()?;
    let mut images = images(&state).list(Filter::all()).await?;
    images.retain(|image| query.matches(image));
    Ok(Json(images.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ImageResponse>, ApiError> {
    let image = images(&state).get(&id).await?;
    Ok(Json(image.value.into()))
}

/// The newest image of the version that is asked for: `ubuntu-26.4` is its newest patch.
async fn latest(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ImageResponse>, ApiError> {
    let newest = newest(&state, id).await?;
    Ok(Json(newest.into()))
}

/// Every image of the version that is asked for, ordered by id.
async fn query(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<Vec<ImageResponse>>, ApiError> {
    let asked = ImageId::try_from(id)?;
    let mut images = of_os(&state, &asked).await?;
    images.retain(|image| asked.asks_for(&image.id));
    Ok(Json(images.into_iter().map(Into::into).collect()))
}

/// Makes an image that can be fetched.
async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ImageRequest>,
) -> Result<(StatusCode, Json<ImageResponse>), ApiError> {
    let now = clock::wall();
    let expires = match moment(body.expiration_date) {
        Some(expires) => date("expirationDate", expires)?.trunc_subsecs(3),
        None => Image::default_expiry(now),
    };
    let image = Image {
        id: ImageId::try_from(body.id.unwrap_or_default())?,
        times: Timestamps::new(now),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        url: body.url.unwrap_or_default(),
        features: features(body.features.unwrap_or_default())?,
        classification: classification(body.classification)?.unwrap_or_default(),
        expires,
    };
    image.check()?;
    let images = images(&state);
    images.absent(image.id.as_str()).await?;
    state.heads.check("url", &image.url).await?;
    images.insert(&image).await?;
    Ok((StatusCode::CREATED, Json(image.into())))
}

/// Changes what is given; a URL that is given must answer.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<ImageRequest>,
) -> Result<Json<ImageResponse>, ApiError> {
    let id = body.id.unwrap_or_default();
    if id.is_empty() {
        return Err(ApiError::bad_request("id: should not be empty"));
    }
    let images = images(&state);
    let old = images.get(&id).await?;
    unchanged::<Image>(&id, old.value.times, body.changed)?;
    let mut new = old.value.clone();
    let url = filled(body.url);
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(&mut new.url, url.clone());
    set(&mut new.features, body.features.map(features).transpose()?);
    set(
        &mut new.classification,
        classification(body.classification)?,
    );
    if let Some(expires) = moment(body.expiration_date) {
        new.expires = date("expirationDate", expires)?.trunc_subsecs(3);
    }
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    if let Some(url) = url {
        state.heads.check("url", &url).await?;
    }
    images.replace(&old, &new).await?;
    Ok(Json(new.into()))
}

async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<ImageResponse>, ApiError> {
    let images = images(&state);
    let image = images.get(&id).await?;
    images.delete(&image).await?;
    Ok(Json(image.value.into()))
}

/// The newest image of the version that an id asks for, 404 if there is none. Costs a list of the
/// images of the operating system.
pub(super) async fn newest(state: &ApiState, id: String) -> Result<Image, ApiError> {
    let asked = ImageId::try_from(id)?;
    let images = of_os(state, &asked).await?;
    Image::latest(&images, &asked)
        .cloned()
        .ok_or_else(|| ApiError::not_found(format!("no image for id:{asked} found")))
}

fn images(state: &ApiState) -> Records<Image> {
    Records::new(&state.store)
}

async fn of_os(state: &ApiState, asked: &ImageId) -> Result<Vec<Image>, ApiError> {
    images(state).list(Filter::eq("os", asked.os())).await
}
