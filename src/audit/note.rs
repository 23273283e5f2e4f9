//! What one request puts into the trail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use chrono::{Duration, SubsecRound};
use serde::Deserialize;

use super::redact::{cut, recorded, without_credentials};
use super::trail::Trail;
use super::watched::{Watched, whole};
use super::{Event, Phase};
use crate::auth::User;
use crate::clock;

/// Longest path that is recorded, bytes.
const PATH: usize = 1024;
/// Longest of the other texts that a client chooses, bytes.
const TEXT: usize = 255;

/// Records one request: when it is read, and when it is answered or given up.
pub struct Note {
    draft: Arc<Mutex<Draft>>,
}

/// What is known of a request so far.
pub(super) struct Draft {
    trail: Trail,
    started: Instant,
    event: Event,
    progress: Progress,
}

/// What was recorded of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Nothing,
    Request,
    Outcome,
}

/// Where bodies name a project.
#[derive(Deserialize)]
struct NamesProject {
    #[serde(alias = "project_id")]
    projectid: Option<String>,
}

/// What an error says.
#[derive(Deserialize)]
struct SaysWhy {
    message: String,
}

// === impl Trail ===

impl Trail {
    /// Begins to record a request of `operation` that came from `peer`. What becomes of it must be
    /// told: dropping the note records that the request was given up.
    pub fn note<B>(
        &self,
        operation: &str,
        rqid: &str,
        peer: SocketAddr,
        request: &Request<B>,
    ) -> Note {
        let path = request.uri().path();
        let event = Event {
            at: clock::wall().trunc_subsecs(6),
            phase: Phase::Request,
            rqid: rqid.to_owned(),
            node: self.node.to_string(),
            operation: operation.to_owned(),
            method: request.method().to_string(),
            path: cut(path.to_owned(), PATH),
            remote_addr: peer.to_string(),
            forwarded_for: forwarded_for(request.headers()),
            user: String::new(),
            tenant: String::new(),
            project: project_in(path),
            body: String::new(),
            status: None,
            error: String::new(),
            micros: None,
        };
        let draft = Draft {
            trail: self.clone(),
            started: Instant::now(),
            event,
            progress: Progress::Nothing,
        };
        Note {
            draft: Arc::new(Mutex::new(draft)),
        }
    }
}

fn forwarded_for(headers: &HeaderMap) -> String {
    let header = headers.get("x-forwarded-for");
    let text = header.and_then(|value| value.to_str().ok());
    cut(text.unwrap_or_default().to_owned(), TEXT)
}

/// The project whose record a path means.
fn project_in(path: &str) -> String {
    let id = path.strip_prefix("/v1/project/").unwrap_or_default();
    cut(id.to_owned(), TEXT)
}

// === impl Note ===

impl Note {
    /// Somebody proved who they are.
    pub fn caller(&self, user: &User) {
        let mut draft = self.lock();
        draft.event.user = cut(user.email.clone(), TEXT);
        draft.event.tenant = cut(user.tenant.clone(), TEXT);
    }

    /// Looks at the body while the handler reads it.
    pub fn watch(&self, request: Request<Body>) -> Request<Body> {
        request.map(|body| Body::new(Watched::new(body, Arc::clone(&self.draft))))
    }

    /// Records the answer, which is given back.
    pub async fn answered(self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let body = whole(body).await.unwrap_or_default();
        self.lock().answered(parts.status, &body);
        Response::from_parts(parts, Body::from(body))
    }

    fn lock(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.lock().given_up();
    }
}

// === impl Draft ===

impl Draft {
    /// The body was read, as far as the handler wanted.
    pub fn read(&mut self, parts: &[Bytes], length: usize) {
        if self.progress >= Progress::Request {
            return;
        }
        self.progress = Progress::Request;
        if let Some(project) = named_project(parts) {
            self.event.project = cut(project, TEXT);
        }
        let mut event = self.event.clone();
        event.body = recorded(parts, length, self.trail.max_body);
        self.trail.record(event);
    }

    fn answered(&mut self, status: StatusCode, body: &Bytes) {
        let refused = status.is_client_error() || status.is_server_error();
        let (error, body) = match serde_json::from_slice::<SaysWhy>(body) {
            Ok(why) if refused => {
                let message = without_credentials(why.message);
                (cut(message, PATH), String::new())
            }
            _ => {
                let most = self.trail.max_body;
                let body = recorded(std::slice::from_ref(body), body.len(), most);
                (String::new(), body)
            }
        };
        self.ended(Phase::Response, Some(status.as_u16()), error, body);
    }

    fn given_up(&mut self) {
        let error = "the client went away before the answer".to_owned();
        self.ended(Phase::Error, None, error, String::new());
    }

    fn ended(&mut self, phase: Phase, status: Option<u16>, error: String, body: String) {
        if self.progress == Progress::Outcome {
            return;
        }
        self.read(&[], 0);
        self.progress = Progress::Outcome;
        let took = self.started.elapsed().as_micros();
        // After the request, whatever the clock did.
        let least = self.event.at + Duration::microseconds(1);
        self.trail.record(Event {
            at: clock::wall().trunc_subsecs(6).max(least),
            phase,
            status,
            error,
            body,
            micros: Some(u64::try_from(took).unwrap_or(u64::MAX)),
            ..self.event.clone()
        });
    }
}

/// The project that a body names: of many ways to do so the one that most bodies have.
fn named_project(parts: &[Bytes]) -> Option<String> {
    let names: NamesProject = serde_json::from_slice(&parts.concat()).ok()?;
    names.projectid.filter(|id| !id.is_empty())
}
