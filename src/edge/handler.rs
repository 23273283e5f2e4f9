//! One request: its id, its time limit, its line in the access log.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, EXPECT, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use tower::ServiceExt;
use uuid::Uuid;

use super::body::Lender;
use super::drain::{Drain, Pace};
use crate::api::{self, ApiError};
use crate::auth::layer::Handled;
use crate::metrics::Metrics;

/// Names a request in logs, ours and the client's.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a client, in bytes.
const MAX_REQUEST_ID: usize = 64;

/// Answers requests with a router, and accounts for them.
#[derive(Debug, Clone)]
pub struct Handler {
    router: Router,
    drain: Drain,
    metrics: Arc<Metrics>,
    timeout: Duration,
    max_requests: usize,
    probe_id: HeaderValue,
}

// === impl Handler ===

impl Handler {
    /// Answers with `router`, each request within `timeout`, and no more than
    /// `max_requests` at once. Requests with the id `probe_id` are the node's
    /// own probes, which are not logged.
    pub fn new(
        router: Router,
        drain: Drain,
        metrics: Arc<Metrics>,
        timeout: Duration,
        max_requests: usize,
        probe_id: HeaderValue,
    ) -> Self {
        Self {
            router,
            drain,
            metrics,
            timeout,
            max_requests,
            probe_id,
        }
    }

    /// Answers one request that came from `peer`.
    pub async fn handle(
        self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let started = Instant::now();
        let flight = self.drain.enter();
        let id = request_id(request.headers());
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let version = request.version();
        let go = api::is_go(request.headers());
        let waits = request.headers().contains_key(EXPECT);

        let lender = Lender::default();
        let mut response = if self.drain.in_flight() > self.max_requests {
            overloaded()
        } else {
            self.answer(&lender, request, id.clone()).await
        };
        let took = started.elapsed();
        api::make_readable(go, &mut response);
        response.headers_mut().insert(REQUEST_ID, id.clone());
        // Over HTTP/2 a body that nobody wants ends with its stream.
        let goes_on = version >= Version::HTTP_2
            || (lender.settle(waits).await && self.drain.pace() < Pace::Leaving);
        if !goes_on {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }

        let status = response.status().as_u16();
        let handled = response.extensions().get::<Handled>().copied();
        let operation = match handled {
            Some(handled) => handled.operation,
            None => "none",
        };
        if id == self.probe_id {
            return Ok(response);
        }
        self.metrics.answered(operation, status, took);
        let role = handled.and_then(|handled| handled.role);
        tracing::info!(
            target: "access",
            %peer,
            %method,
            path,
            status,
            operation,
            role = role.map(tracing::field::display),
            request_id = id.to_str().unwrap_or_default(),
            version = ?version,
            us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
        drop(flight);
        Ok(response)
    }

    async fn answer(
        &self,
        lender: &Lender,
        mut request: Request<Incoming>,
        id: HeaderValue,
    ) -> Response {
        // Handlers and, later, other partitions see the id that is answered.
        request.headers_mut().insert(REQUEST_ID, id);
        let request = request.map(|body| Body::new(lender.lend(body)));
        let answer = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind();
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(_)) => {
                tracing::error!("a request's handler panicked");
                ApiError::internal("the request could not be handled").into_response()
            }
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                ApiError::unavailable(format!(
                    "no answer within {seconds} s; whether the request was executed is not known"
                ))
                .into_response()
            }
        }
    }
}

fn overloaded() -> Response {
    let error = ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too many requests at once, try again",
    );
    let mut response = error.into_response();
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The client's id where it is short and printable, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    headers
        .get(REQUEST_ID)
        .filter(|id| {
            let bytes = id.as_bytes();
            (1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        })
        .cloned()
        .unwrap_or_else(|| {
            let mut text = Uuid::encode_buffer();
            let id = Uuid::now_v7().simple().encode_lower(&mut text);
            HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("none"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, sent.parse().expect("a header"));
        request_id(&headers).to_str().expect("text").to_owned()
    }

    #[test]
    fn a_clients_request_id_is_taken_over_only_if_short_and_printable() {
        assert_eq!(id_for("order-17"), "order-17");
        assert_ne!(id_for(&"x".repeat(65)), "x".repeat(65));
        assert_ne!(id_for("two words"), "two words");
        assert_eq!(request_id(&HeaderMap::new()).len(), 32);
    }
}
