//! Whether a request may reach its handler.

use std::sync::Arc;
use std::time::Instant;

use axum::http::{Request, StatusCode};

use super::hmac::{Authenticator, Moment, Refusal};
use super::user::Role;
use crate::api::ApiError;
use crate::api::operations::{Access, Effect, Operation};
use crate::clock;
use crate::metrics::Metrics;

/// Authenticates callers and checks their roles.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Checks the signatures.
    pub authenticator: Arc<Authenticator>,
    /// Counts the refusals.
    pub metrics: Arc<Metrics>,
}

// === impl Admission ===

impl Admission {
    /// Lets a request of `operation` pass and says with which role, none for a
    /// public one. The caller, once known, is an extension of the request, an
    /// `Arc` of [`super::User`].
    ///
    /// # Errors
    /// The answer: 403 with the reason.
    pub fn admit<B>(
        &self,
        operation: &Operation,
        request: &mut Request<B>,
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
        let user = self
            .authenticator
            .authenticate(request.method(), request.headers(), writes, now)
            .map_err(|refusal| self.refuse(&refusal))?;
        request.extensions_mut().insert(Arc::clone(user));
        if user.role < needed {
            self.metrics.auth_refused("role");
            let message = format!("you are not member in one of [{}]", needed.group());
            return Err(ApiError::new(StatusCode::FORBIDDEN, message));
        }
        Ok(Some(user.role))
    }

    fn refuse(&self, refusal: &Refusal) -> ApiError {
        self.metrics.auth_refused(refusal.label());
        let status = match refusal {
            Refusal::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        };
        ApiError::new(status, refusal.to_string())
    }
}
