//! The loopback listener for operators, load balancers and Prometheus.
//!
//! Plain HTTP, so it never listens elsewhere. Reading needs no credential;
//! draining, backups and what changes address pools need the token in the data directory, which only the node's own
//! user can read.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::{ipam_admin, store_admin};
use crate::announce::departure::{Exit, Request};
use crate::api::Space;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::status::{BgpReport, Report};
use crate::stores::Stores;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the admin listener answers from.
#[derive(Clone)]
pub struct Admin {
    /// Makes a report on the node.
    pub report: Arc<dyn Fn() -> Report + Send + Sync>,
    /// Makes a report on the BGP sessions.
    pub bgp: Arc<dyn Fn() -> BgpReport + Send + Sync>,
    /// Everything counted and measured.
    pub metrics: Arc<Metrics>,
    /// Carries out drains.
    pub exit: Exit,
    /// What drains and backups are authorized with.
    pub token: Arc<str>,
    /// Both stores, for backups.
    pub stores: Arc<Stores>,
    /// Says which scopes they keep.
    pub config: Arc<Config>,
    /// Networks and addresses.
    pub space: Space,
}

/// The admin listener's routes.
pub fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route("/bgp", get(bgp))
        .route("/store", get(store_admin::info))
        .route("/store/backup", post(store_admin::back_up))
        .route("/ipam/blocks", get(ipam_admin::blocks))
        .route("/ipam/fsck", post(ipam_admin::fsck))
        .route("/ipam/revoke/{*block}", post(ipam_admin::revoke))
        .route("/drain", post(drain))
        .route("/drain/undo", post(undo))
        .with_state(admin)
}

/// 200 while the node should get requests, else 503 and the reason.
async fn readyz(State(admin): State<Admin>) -> Response {
    let verdict = (admin.report)().verdict;
    let state = verdict.state.as_str();
    if verdict.state.is_serving() && verdict.valid_until_ms > 0 {
        return format!("{state}\n").into_response();
    }
    let reason = format!("{state}: {}\n", verdict.why);
    (StatusCode::SERVICE_UNAVAILABLE, reason).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match admin.metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot encode the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn status(State(admin): State<Admin>) -> Json<Report> {
    Json((admin.report)())
}

async fn bgp(State(admin): State<Admin>) -> Json<BgpReport> {
    Json((admin.bgp)())
}

async fn drain(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    ask(&admin, &headers, Request::Drain)
}

async fn undo(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    ask(&admin, &headers, Request::Undo)
}

fn ask(admin: &Admin, headers: &HeaderMap, request: Request) -> Response {
    if let Some(refusal) = refusal(admin, headers) {
        return refusal;
    }
    tracing::info!(?request, "asked over the admin listener");
    if admin.exit.ask(request) {
        StatusCode::ACCEPTED.into_response()
    } else {
        let busy = "too many requests to drain are waiting\n";
        (StatusCode::SERVICE_UNAVAILABLE, busy).into_response()
    }
}

/// The answer to a request without the token.
pub(super) fn refusal(admin: &Admin, headers: &HeaderMap) -> Option<Response> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    let same = constant_time::verify_slices_are_equal(token, admin.token.as_bytes());
    same.is_err().then(|| {
        let hint = "this needs the token in the node's data directory\n";
        (StatusCode::FORBIDDEN, hint).into_response()
    })
}
