//! `GET /v1/version`: what is running.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::ApiState;

/// What this build is, and which clients may talk to it. Sent as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionInfo {
    /// Name of the service.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// Version control revision of the build; empty if unknown.
    pub revision: String,
    /// Commit of the build; empty if unknown.
    pub gitsha1: String,
    /// When it was built, RFC 3339; empty if unknown.
    pub builddate: String,
    /// Oldest metalctl that may talk to this API, as semantic version.
    pub min_client_version: String,
    /// Release this belongs to, absent if it belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_version: Option<String>,
}

pub(super) async fn version(State(state): State<ApiState>) -> Json<VersionInfo> {
    Json((*state.version).clone())
}

// === impl VersionInfo ===

impl VersionInfo {
    /// Of this package; `revision` and `builddate` as the build knows them, empty if it does not.
    pub fn of_this_build(revision: &str, builddate: &str) -> Self {
        Self {
            name: "metal-edge".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            revision: revision.into(),
            gitsha1: revision.into(),
            builddate: builddate.into(),
            min_client_version: "v0.0.1".into(),
            release_version: None,
        }
    }
}
