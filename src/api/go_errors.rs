//! Errors that metal-stack's Go clients can read.

use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::error::IsError;

/// How the User-Agent of Go programs begins, and of metal-stack's own.
const GO: [&str; 2] = ["Go-http-client/", "metal"];

/// Sends an [`ApiError`](super::ApiError) to a Go client as `text/plain`, the same bytes; leaves
/// every other answer as it is.
///
/// The error type of those clients (metal-lib, `httperrors`) parses itself from text. Go's JSON
/// decoder therefore accepts a JSON string for it and refuses the object that the API promises;
/// only as text is the object read. Without this no conflict is recognised as one, and `metalctl
/// apply` never updates.
pub fn make_readable(client_is_go: bool, response: &mut Response) {
    if client_is_go && response.extensions().get::<IsError>().is_some() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
    }
}

/// Whether a request comes from one of those clients.
pub fn is_go(headers: &HeaderMap) -> bool {
    headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .is_some_and(|agent| GO.iter().any(|prefix| agent.starts_with(prefix)))
}
