use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::*;
use crate::api::ApiError;
use crate::auth::{Role, User};

fn request(method: &str, path: &str, body: &'static str) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-forwarded-for", "198.51.100.9");
    request.body(Body::from(body)).unwrap()
}

fn note(audited: &Audited, request: &Request<Body>) -> Note {
    let peer = "[2001:db8::7]:4711".parse().unwrap();
    audited.trail.note("createSize", "rq-1", peer, request)
}

async fn all(audited: &Audited) -> Vec<Event> {
    audited.find(Search::default()).await
}

#[tokio::test]
async fn a_request_and_its_answer_are_found_the_newest_first() {
    let audited = in_memory();
    let body = r#"{"id":"s","projectid":"p","password":"hidden"}"#;
    let request = request("PUT", "/v1/size?x=1", body);
    let note = note(&audited, &request);
    note.caller(&User::technical(Role::Edit, "metal-stack"));
    let request = note.watch(request);
    to_bytes(request.into_body(), 1024).await.unwrap();
    let response = (
        StatusCode::CREATED,
        Json(json!({"id": "s", "auth_key": "hidden"})),
    );
    let response = note.answered(response.into_response()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["content-type"], "application/json");
    let sent = to_bytes(response.into_body(), 1024).await.unwrap();
    assert_eq!(sent, r#"{"auth_key":"hidden","id":"s"}"#);

    let found = all(&audited).await;
    let [answer, asked] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (asked.phase, answer.phase),
        (Phase::Request, Phase::Response)
    );
    for event in &found {
        assert_eq!((event.rqid.as_str(), event.project.as_str()), ("rq-1", "p"));
        assert_eq!(event.user, "metal-edit@metal-stack.io");
        assert_eq!(event.tenant, "metal-stack");
        assert_eq!(
            (event.method.as_str(), event.path.as_str()),
            ("PUT", "/v1/size")
        );
        assert_eq!(event.remote_addr, "[2001:db8::7]:4711");
        assert_eq!(event.forwarded_for, "198.51.100.9");
        assert_eq!(event.node, "dev-1");
    }
    assert_eq!(
        asked.body,
        r#"{"id":"s","password":"(redacted)","projectid":"p"}"#
    );
    assert_eq!((asked.status, asked.micros), (None, None));
    assert_eq!(answer.body, r#"{"auth_key":"(redacted)","id":"s"}"#);
    assert_eq!((answer.status, answer.error.as_str()), (Some(201), ""));
    assert!(answer.micros.is_some() && answer.at > asked.at);
}

#[tokio::test]
async fn a_request_is_recorded_before_its_handler_does_anything_with_it() {
    let audited = in_memory();
    let request = request("PUT", "/v1/size", "{}");
    let note = note(&audited, &request);
    let request = note.watch(request);
    assert!(all(&audited).await.is_empty());
    to_bytes(request.into_body(), 1024).await.unwrap();
    assert_eq!(
        all(&audited).await.len(),
        1,
        "and not only when it is answered"
    );
    drop(note);
}

#[tokio::test]
async fn a_refusal_is_recorded_with_its_reason_and_without_the_body() {
    let audited = in_memory();
    let request = request("DELETE", "/v1/project/p", "hidden");
    let note = note(&audited, &request);
    let error = ApiError::new(StatusCode::FORBIDDEN, "Wrong HMAC found");
    note.answered(error.into_response()).await;
    let found = all(&audited).await;
    let phases: Vec<_> = found.iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::Response, Phase::Request]);
    assert_eq!(
        (found[0].status, found[0].error.as_str()),
        (Some(403), "Wrong HMAC found")
    );
    assert!(
        found
            .iter()
            .all(|event| event.body.is_empty() && event.user.is_empty())
    );
    assert!(found.iter().all(|event| event.project == "p"));
}

#[tokio::test]
async fn a_request_that_was_given_up_is_recorded_as_an_error() {
    let audited = in_memory();
    let request = request("PUT", "/v1/size", "{}");
    drop(note(&audited, &request));
    let found = all(&audited).await;
    assert_eq!((found.len(), found[0].phase), (2, Phase::Error));
    assert_eq!((found[0].status, found[0].error.is_empty()), (None, false));
}

#[tokio::test]
async fn a_client_cannot_make_an_entry_long() {
    let audited = in_memory();
    let path = format!("/v1/size/{}", "x".repeat(9000));
    let long: &'static str =
        Box::leak(format!("{{\"projectid\":\"{}\"}}", "p".repeat(9000)).into_boxed_str());
    let mut request = request("PUT", &path, long);
    let header = "f".repeat(9000).parse().unwrap();
    request.headers_mut().insert("x-forwarded-for", header);
    let note = note(&audited, &request);
    let request = note.watch(request);
    to_bytes(request.into_body(), 1 << 20).await.unwrap();
    note.answered(ApiError::bad_request("e".repeat(9000)).into_response())
        .await;
    let found = all(&audited).await;
    assert_eq!(found.len(), 2);
    for event in found {
        assert!(event.size() < 1024 + 4096, "{} bytes", event.size());
    }
}
