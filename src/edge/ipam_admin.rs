//! What the admin listener says of address pools, and does to them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::admin::{Admin, refusal};
use crate::api::ApiError;

/// One check at a time: each reads everything.
static RUNNING: Semaphore = Semaphore::const_new(1);

/// `GET /ipam/blocks`.
pub(super) async fn blocks(State(admin): State<Admin>) -> Response {
    match admin.space.blocks().await {
        Ok(blocks) => Json(blocks).into_response(),
        Err(error) => said(error),
    }
}

/// `POST /ipam/fsck`, the token asked for: what does not agree.
pub(super) async fn fsck(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refusal(&admin, &headers) {
        return refusal;
    }
    let Ok(_running) = RUNNING.try_acquire() else {
        return said(ApiError::unavailable("another check is running"));
    };
    match admin.space.fsck().await {
        Ok(findings) => Json(findings).into_response(),
        Err(error) => said(error),
    }
}

/// `POST /ipam/revoke/BLOCK`, the token asked for: which addresses were free.
pub(super) async fn revoke(
    State(admin): State<Admin>,
    Path(block): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refusal(&admin, &headers) {
        return refusal;
    }
    match admin.space.revoke_block(&block).await {
        Ok(free) => {
            let sum: u128 = free.iter().map(crate::ipam::Interval::len).sum();
            sum.to_string().into_response()
        }
        Err(error) => said(error),
    }
}

fn said(error: ApiError) -> Response {
    (error.status, error.message + "\n").into_response()
}
