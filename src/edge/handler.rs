//! One request: its id, its time limit, its line in the access log.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CONNECTION, EXPECT, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use metal_storage::ReplicaStatus;
use tower::ServiceExt;
use uuid::Uuid;

use super::body::Lender;
use super::drain::{Drain, Pace};
use crate::api::operations::{self, Effect, Operation, Resolved};
use crate::api::{self, ApiError};
use crate::audit::{Note, Trail};
use crate::auth::{Admission, Role, User};
use crate::metrics::Metrics;
use crate::stores::stale;

/// Names a request in logs, ours and the client's.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How old an answer is that a replica took part in.
pub const SCOPE_AGE: HeaderName = HeaderName::from_static("x-metal-scope-age");
/// Longest id that is taken over from a client, in bytes.
const MAX_REQUEST_ID: usize = 64;

/// Answers requests with a router, and accounts for them.
#[derive(Debug)]
pub struct Handler {
    /// The API.
    pub router: Router,
    /// Who may call it.
    pub admission: Admission,
    /// Counts what is in flight.
    pub drain: Drain,
    /// Counts what was answered.
    pub metrics: Arc<Metrics>,
    /// From a request's head to its answer.
    pub timeout: Duration,
    /// Requests at once.
    pub max_requests: usize,
    /// Bytes of a request's body.
    pub max_body: usize,
    /// Records who changed what.
    pub trail: Trail,
    /// The id of the node's own probes, which are not logged.
    pub probe_id: HeaderValue,
}

/// What is known of a request once it was answered.
struct Answered {
    response: Response,
    operation: &'static str,
    role: Option<Role>,
}

// === impl Handler ===

impl Handler {
    /// Answers one request that came from `peer`.
    pub async fn handle(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let started = Instant::now();
        let flight = self.drain.enter();
        let id = request_id(request.headers());
        let method = request.method().clone();
        let path = tracing::enabled!(target: "access", tracing::Level::INFO)
            .then(|| request.uri().path().to_owned());
        let version = request.version();
        let go = api::is_go(request.headers());
        let waits = request.headers().contains_key(EXPECT);

        let lender = Lender::default();
        let Answered {
            mut response,
            operation,
            role,
        } = self.answer(peer, &lender, request, id.clone()).await;
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
        if id == self.probe_id {
            return Ok(response);
        }

        let status = response.status().as_u16();
        self.metrics.answered(operation, status, took);
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

    /// Finds the operation, lets the caller pass or not, and bounds the time.
    /// Only what the operations' table names reaches the router.
    async fn answer(
        &self,
        peer: SocketAddr,
        lender: &Lender,
        request: Request<Incoming>,
        id: HeaderValue,
    ) -> Answered {
        let mut request = request.map(|body| lender.lend(body));
        // Handlers and, later, other partitions see the id that is answered.
        request.headers_mut().insert(REQUEST_ID, id);
        let mut answered = Answered {
            response: Response::default(),
            operation: "none",
            role: None,
        };
        answered.response = if self.drain.in_flight() > self.max_requests {
            overloaded()
        } else {
            match operations::resolve(request.method(), request.uri().path()) {
                Resolved::NoSuchPath => {
                    let uri = request.uri().clone();
                    api::no_such_path(uri).await.into_response()
                }
                Resolved::WrongMethod => {
                    let (method, uri) = (request.method().clone(), request.uri().clone());
                    api::method_not_allowed(method, uri).await.into_response()
                }
                Resolved::Operation(operation) => {
                    answered.operation = operation.id;
                    let note = self.note(operation, peer, &request);
                    let admitted = self.admission.admit(operation, &mut request);
                    if let (Some(note), Some(user)) = (&note, request.extensions().get()) {
                        note.caller(Arc::<User>::as_ref(user));
                    }
                    let response = match admitted {
                        Err(error) => error.into_response(),
                        Ok(role) => {
                            answered.role = role;
                            if let Some(note) = &note {
                                request = note.watch(request);
                            }
                            self.execute(operation, request).await
                        }
                    };
                    match note {
                        Some(note) => note.answered(response).await,
                        None => response,
                    }
                }
            }
        };
        answered
    }

    /// What changes something is recorded, whether or not it may.
    fn note(
        &self,
        operation: &Operation,
        peer: SocketAddr,
        request: &Request<Body>,
    ) -> Option<Note> {
        let id = request.headers().get(REQUEST_ID);
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let records = operation.effect == Effect::Write;
        records.then(|| self.trail.note(operation.id, id, peer, request))
    }

    /// What changes nothing may be answered from a replica, and then says how old that is.
    async fn execute(&self, operation: &Operation, request: Request<Body>) -> Response {
        if operation.effect == Effect::Write {
            return self.route(request).await;
        }
        let (mut response, replica) = stale::allowed(self.route(request)).await;
        if let Some(replica) = replica {
            response
                .headers_mut()
                .insert(SCOPE_AGE, scope_age(&replica));
        }
        response
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let mut request = request;
        DefaultBodyLimit::max(self.max_body).apply(&mut request);
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

/// The age of each scope of which a replica took part in the answer.
fn scope_age(replica: &ReplicaStatus) -> HeaderValue {
    let age = match replica.age {
        Some(age) => format!("global={}s", age.as_secs()),
        None => "global=unknown".to_owned(),
    };
    HeaderValue::try_from(age).expect("it is ASCII")
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
