//! `GET /v1/health`: how the services behind the API fare.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::extract::QueryOf;
use super::{ApiError, ApiState};

/// Where the health of the services comes from. Called per request, so it must answer at once,
/// from what was probed last.
pub trait HealthSource: Send + Sync + 'static {
    /// The services by name, as probed last.
    fn services(&self) -> BTreeMap<String, ServiceHealth>;
}

/// The health of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHealth {
    /// How it fares.
    pub status: ServiceStatus,
    /// Why, in a sentence that anyone may read; may be empty.
    pub message: String,
}

/// How a service fares, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceStatus {
    /// It does its work.
    Healthy,
    /// It does its work, but not as well as it should.
    Degraded,
    /// It does not do its work.
    Unhealthy,
}

#[derive(Serialize)]
struct Body {
    status: &'static str,
    message: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    services: BTreeMap<String, Body>,
}

#[derive(Deserialize)]
pub(super) struct Params {
    service: Option<String>,
}

/// 200 while every service (or the one asked for) works, 500 otherwise.
pub(super) async fn health(
    State(state): State<ApiState>,
    QueryOf(params): QueryOf<Params>,
) -> Result<Response, ApiError> {
    let mut services = state.health.services();
    if let Some(name) = params.service.filter(|name| !name.is_empty()) {
        let one = services
            .remove(&name)
            .ok_or_else(|| ApiError::no_entity("service", &name))?;
        services = BTreeMap::from([(name, one)]);
    }
    let worst = services
        .values()
        .map(|service| service.status)
        .max()
        .unwrap_or(ServiceStatus::Healthy);
    let failing: Vec<&str> = services
        .iter()
        .filter(|(_, service)| service.status != ServiceStatus::Healthy)
        .map(|(name, _)| name.as_str())
        .collect();
    let message = if failing.is_empty() {
        String::new()
    } else {
        format!("{} not healthy", failing.join(", "))
    };
    let code = match worst {
        ServiceStatus::Healthy | ServiceStatus::Degraded => StatusCode::OK,
        ServiceStatus::Unhealthy => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = Body {
        status: worst.word(),
        message,
        services: services
            .into_iter()
            .map(|(name, service)| (name, Body::from(service)))
            .collect(),
    };
    Ok((code, Json(body)).into_response())
}

// === impl ServiceStatus ===

impl ServiceStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

// === impl Body ===

impl From<ServiceHealth> for Body {
    fn from(service: ServiceHealth) -> Self {
        Self {
            status: service.status.word(),
            message: service.message,
            services: BTreeMap::new(),
        }
    }
}
