//! The one error body of the API.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An answer that is not a success: `{"statuscode": N, "message": "…"}`.
///
/// The message is read by people and clients, so it never carries more than the caller sent or
/// may read. Clients tell a missing entity by the prefix `NotFound ` and a clash by `Conflict `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct ApiError {
    /// HTTP status, also in the body.
    pub status: StatusCode,
    /// What is wrong, and with which field.
    pub message: String,
}

/// Marks the response of an [`ApiError`].
#[derive(Clone, Copy)]
pub(super) struct IsError;

#[derive(Serialize)]
struct Body<'a> {
    statuscode: u16,
    message: &'a str,
}

// === impl ApiError ===

impl ApiError {
    /// An error with `status`; `message` is sent as it is.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// 400: the request is wrong in itself.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404: `message` gets the prefix `NotFound `.
    pub fn not_found(message: impl AsRef<str>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("NotFound {}", message.as_ref()),
        )
    }

    /// 404 for an entity that no record has the id of.
    pub fn no_entity(entity: &str, id: &str) -> Self {
        Self::not_found(format!("no {entity} with id {id:?} found"))
    }

    /// 409: `message` gets the prefix `Conflict `.
    pub fn conflict(message: impl AsRef<str>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            format!("Conflict {}", message.as_ref()),
        )
    }

    /// 412: the version that the caller has read is not the stored one.
    pub fn outdated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, message)
    }

    /// 422: the request is right in itself, but the state of the system refuses it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 500: `message` gets the prefix `Internal `.
    pub fn internal(message: impl AsRef<str>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Internal {}", message.as_ref()),
        )
    }

    /// 503: what is needed to answer cannot be reached now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body {
            statuscode: self.status.as_u16(),
            message: &self.message,
        };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(IsError);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_body_is_statuscode_and_message_as_json() {
        let response = ApiError::no_entity("size", "v1").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            body,
            r#"{"statuscode":404,"message":"NotFound no size with id \"v1\" found"}"#
        );
    }
}
