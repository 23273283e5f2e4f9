//! The middleware that lets a request through to its handler.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::hmac::{Authenticator, Moment, Refusal};
use super::user::Role;
use crate::api::ApiError;
use crate::api::operations::{self, Access, Effect};
use crate::clock;
use crate::metrics::Metrics;

/// What the middleware works on.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// Checks the signatures.
    pub authenticator: Arc<Authenticator>,
    /// Counts the refusals.
    pub metrics: Arc<Metrics>,
}

/// Which operation answered, and for whom: an extension of every response to a
/// known path, for the access log and the metrics.
#[derive(Debug, Clone, Copy)]
pub struct Handled {
    /// The operation's id.
    pub operation: &'static str,
    /// The caller's role; none for public operations and refused requests.
    pub role: Option<Role>,
}

/// Authenticates the caller and checks the operation's role. The handler finds
/// the caller as an extension of type [`super::User`].
pub async fn authenticate(
    State(guarded): State<Guarded>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(operation) = operations::find(request.method(), path.as_str()) else {
        return next.run(request).await;
    };
    let mut handled = Handled {
        operation: operation.id,
        role: None,
    };
    let mut response = match admit(&guarded, operation, &mut request) {
        Ok(role) => {
            handled.role = role;
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(handled);
    response
}

fn admit(
    guarded: &Guarded,
    operation: &operations::Operation,
    request: &mut Request,
) -> Result<Option<Role>, ApiError> {
    let needed = match operation.access {
        Access::Public => return Ok(None),
        Access::AnyUser => Role::View,
        Access::Role(role) => role,
    };
    let now = Moment {
        wall: clock::wall(),
        monotonic: Instant::now(),
    };
    let writes = operation.effect == Effect::Write;
    let user = guarded
        .authenticator
        .authenticate(request.method(), request.headers(), writes, now)
        .map_err(|refusal| {
            guarded.metrics.auth_refused(refusal.label());
            let status = match refusal {
                Refusal::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::FORBIDDEN,
            };
            ApiError::new(status, refusal.to_string())
        })?;
    if user.role < needed {
        guarded.metrics.auth_refused("role");
        let message = format!("you are not member in one of [{}]", needed.group());
        return Err(ApiError::new(StatusCode::FORBIDDEN, message));
    }
    let role = user.role;
    request.extensions_mut().insert(user.clone());
    Ok(Some(role))
}
