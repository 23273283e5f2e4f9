//! Errors that metal-stack's Go clients can read.

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::error::IsError;

/// How the User-Agent of Go programs begins, and of metal-stack's own.
const GO: [&str; 2] = ["Go-http-client/", "metal"];

/// Middleware for around everything that answers with an [`ApiError`](super::ApiError): to a Go
/// client its body goes as `text/plain`, the same bytes.
///
/// The error type of those clients (metal-lib, `httperrors`) parses itself from text. Go's JSON
/// decoder therefore accepts a JSON string for it and refuses the object that the API promises;
/// only as text is the object read. Without this no conflict is recognised as one, and `metalctl
/// apply` never updates.
pub async fn readable_errors(request: Request, next: Next) -> Response {
    let go = is_go(request.headers());
    let mut response = next.run(request).await;
    if go && response.extensions().get::<IsError>().is_some() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
    }
    response
}

fn is_go(headers: &HeaderMap) -> bool {
    headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .is_some_and(|agent| GO.iter().any(|prefix| agent.starts_with(prefix)))
}
