//! metal-api v1: a folder or file per entity, its wire types beside its handlers.
//!
//! [`routes`] serves the operations of [`operations::OPERATIONS`]. Who may call them is decided
//! around it, and so are limits; handlers that need the caller take it from the request's
//! extensions.

mod audit;
mod error;
mod exclusive;
mod extract;
mod filesystemlayout;
mod go_errors;
mod heads;
mod health;
mod image;
mod ip;
mod machines;
mod meta;
mod network;
pub mod operations;
mod partition;
mod project;
mod records;
mod retry;
mod size;
mod size_image_constraint;
mod size_reservation;
pub mod space;
mod store_error;
mod tenant;
mod user;
mod version;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::routing::get;
use metal_storage::Store;

use crate::audit::Archive;
pub use error::ApiError;
pub(crate) use exclusive::SENTINEL;
pub use go_errors::{is_go, make_readable};
pub use heads::HeadChecker;
pub use health::{HealthSource, ServiceHealth, ServiceStatus};
pub use machines::{Machines, NoMachines};
pub use space::Space;
pub(crate) use space::{BLOCK, CLAIM, FENCE, VRF};
pub use version::VersionInfo;

use crate::commit;

/// What the handlers work on. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Store of the global scope.
    pub store: Arc<dyn Store>,
    /// Networks and addresses.
    pub space: Space,
    /// The partition that this node belongs to.
    pub partition: Arc<str>,
    /// What `GET /v1/version` answers.
    pub version: Arc<VersionInfo>,
    /// Checks that the URLs of images and boot configurations answer.
    pub heads: HeadChecker,
    /// What `GET /v1/health` answers.
    pub health: Arc<dyn HealthSource>,
    /// Where machines are known.
    pub machines: Arc<dyn Machines>,
    /// What was changed, and by whom.
    pub audit: Archive,
}

/// The router of metal-api v1, without authentication and without limits.
///
/// An unknown path is answered with 404 and a known one with another method with 405, both in the
/// API's error body. Handlers that need the caller find it as an extension, an `Arc` of
/// [`User`](crate::auth::User).
pub fn routes(state: ApiState) -> Router {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/version", get(version::version))
        .route("/v1/user/me", get(user::me))
        .merge(audit::routes())
        .merge(tenant::routes())
        .merge(project::routes())
        .merge(partition::routes())
        .merge(size::routes())
        .merge(size_image_constraint::routes())
        .merge(size_reservation::routes())
        .merge(image::routes())
        .merge(filesystemlayout::routes())
        .merge(network::routes())
        .merge(ip::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_path)
        .with_state(state)
}

/// 404 for a path that no operation has.
pub async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("no such path: {}", uri.path()))
}

/// 405 for a path that operations have with other methods.
pub async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        format!("method {method} is not allowed on {}", uri.path()),
    )
}

#[cfg(test)]
mod tests;
