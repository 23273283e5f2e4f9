//! The API through its router, on a store in memory.

mod blocks;
mod concurrency;
mod constraints;
mod crashes;
mod faults;
mod fleet;
mod hardware;
mod health;
mod images;
mod input;
mod interleaved;
mod ips;
mod layouts;
mod mortal;
mod networks;
mod partitions;
mod projects;
mod races;
mod reservations;
mod sizes;
mod tenants;
mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn;
use axum::{Extension, Router};
use http_body_util::BodyExt;
use metal_storage::{Memory, Scope, Store};
use serde_json::{Value, json};
use tower::ServiceExt;

use self::fleet::Fleet;
use self::interleaved::Interleaved;
use super::{
    ApiState, HeadChecker, HealthSource, ServiceHealth, Space, VersionInfo, is_go, make_readable,
    operations, routes,
};
use crate::audit;
use crate::auth::{Role, User};

/// Longest body of the API under test, bytes.
const BODY: usize = 64 * 1024;

thread_local! {
    /// One for all of a test: making it reads every certificate of the system.
    static HEADS: HeadChecker = HeadChecker::new(Duration::from_secs(5)).unwrap();
}

/// The API on an empty store.
#[derive(Clone)]
struct Api(Router);

/// An answer.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    body: Value,
}

struct Services(BTreeMap<String, ServiceHealth>);

impl HealthSource for Services {
    fn services(&self) -> BTreeMap<String, ServiceHealth> {
        self.0.clone()
    }
}

// === impl Api ===

impl Api {
    fn new() -> Self {
        Self::with_services(BTreeMap::new())
    }

    fn with_services(services: BTreeMap<String, ServiceHealth>) -> Self {
        Self::build(Arc::new(Interleaved::default()), services, Fleet::default())
    }

    fn on(store: Arc<dyn Store>) -> Self {
        Self::build(store, BTreeMap::new(), Fleet::default())
    }

    fn with_machines(machines: Fleet) -> Self {
        Self::build(Arc::new(Interleaved::default()), BTreeMap::new(), machines)
    }

    fn build(
        store: Arc<dyn Store>,
        services: BTreeMap<String, ServiceHealth>,
        machines: Fleet,
    ) -> Self {
        let space = Space::new(Arc::clone(&store), Arc::clone(&store), "dev");
        Self::of(store, space.unwrap().0, services, machines)
    }

    /// On two stores.
    fn on_both(global: Arc<dyn Store>, local: Arc<dyn Store>) -> Self {
        let space = Space::new(Arc::clone(&global), local, "dev").unwrap().0;
        Self::of(global, space, BTreeMap::new(), Fleet::default())
    }

    fn of(
        store: Arc<dyn Store>,
        space: Space,
        services: BTreeMap<String, ServiceHealth>,
        machines: Fleet,
    ) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let audit = crate::config::Audit {
            max_age: Duration::from_secs(3600),
            max_entries: 1000,
            max_body: crate::config::ByteSize::new(1024),
            queue: 64,
        };
        let local = Arc::new(Memory::new()) as Arc<dyn Store>;
        let audit = audit::open(&local, &Scope::Global, "dev-1", &audit);
        tokio::spawn(audit.writer.run());
        let state = ApiState {
            store,
            space,
            partition: "dev".into(),
            version: Arc::new(VersionInfo::of_this_build("abc123", "2026-01-02T03:04:05Z")),
            heads: HEADS.with(HeadChecker::clone),
            health: Arc::new(Services(services)),
            machines: Arc::new(machines),
            audit: audit.archive,
        };
        let user = User {
            email: "metal-admin@metal-stack.io".into(),
            name: "Metal-Admin".into(),
            tenant: "metal-stack".into(),
            groups: vec!["maas-all-all-admin".into()],
            issuer: String::new(),
            subject: String::new(),
            role: Role::Admin,
        };
        Self(
            routes(state)
                .layer(Extension(Arc::new(user)))
                .layer(DefaultBodyLimit::max(BODY))
                .layer(from_fn(readable)),
        )
    }

    /// Sends a body as it is.
    async fn raw(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(body.into()).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        if status.is_client_error() || (status.is_server_error() && path != "/v1/health") {
            assert_eq!(body["statuscode"], status.as_u16());
            assert!(body["message"].as_str().is_some_and(|m| !m.is_empty()));
        }
        Answer { status, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.raw(Method::GET, path, Body::empty()).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.raw(Method::PUT, path, body.to_string()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw(Method::POST, path, body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.raw(Method::DELETE, path, Body::empty()).await
    }

    /// With partition `dev`, and projects `p1` and `p2`.
    async fn in_partition() -> Self {
        let api = Self::new();
        api.furnish().await;
        api
    }

    async fn furnish(&self) {
        let api = self.clone().with_tenant("t").await;
        let url = format!("{}/there", files().await);
        let partition = json!({"id": "dev", "bootconfig": {"kernelurl": url, "imageurl": url}});
        api.put("/v1/partition", partition).await.is(201);
        for project in ["p1", "p2"] {
            let project = json!({"meta": {"id": project}, "name": project, "tenant_id": "t"});
            api.put("/v1/project", project).await.is(201);
        }
    }

    /// Makes a tenant.
    async fn with_tenant(self, id: &str) -> Self {
        let answer = self
            .put("/v1/tenant", json!({"meta": {"id": id}, "name": id}))
            .await;
        answer.is(201);
        self
    }

    /// Makes projects of the tenant `a`.
    async fn with_projects(self, ids: &[&str]) -> Self {
        for id in ids {
            let project = json!({"meta": {"id": id}, "tenant_id": "a"});
            self.put("/v1/project", project).await.is(201);
        }
        self
    }

    /// Makes partitions.
    async fn with_partitions(self, ids: &[&str]) -> Self {
        let url = format!("{}/there", files().await);
        for id in ids {
            let boot = json!({"imageurl": url, "kernelurl": url});
            let partition = json!({"id": id, "name": id, "bootconfig": boot});
            self.put("/v1/partition", partition).await.is(201);
        }
        self
    }

    /// Makes sizes.
    async fn with_sizes(self, ids: &[&str]) -> Self {
        for id in ids {
            self.put("/v1/size", json!({"id": id})).await.is(201);
        }
        self
    }
}

// === impl Answer ===

impl Answer {
    /// Asserts the status and gives the body.
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Asserts an error whose message has `part` in it.
    #[track_caller]
    fn refused(self, status: u16, part: &str) {
        let body = self.is(status);
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

/// A server that answers `HEAD /there` with 200, `/moved` with a redirect to it, `/loop` with one
/// to itself and everything else with 404. Gives its URL.
async fn files() -> String {
    use axum::response::Redirect;
    use axum::routing::get;
    let router = Router::new()
        .route("/there", get(|| async { "x" }))
        .route("/moved", get(|| async { Redirect::temporary("/there") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn every_operation_is_served_and_nothing_else_is() {
    let api = Api::new();
    for operation in operations::OPERATIONS {
        let path = operation
            .path
            .replace("{id}", "some-1.0")
            .replace("{ip}", "192.0.2.1");
        let answer = api.raw(operation.method.clone(), &path, "{}").await;
        let message = answer.body["message"].as_str().unwrap_or_default();
        assert_ne!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{operation:?}"
        );
        assert!(!message.contains("no such path"), "{operation:?}");
    }
    api.get("/v1/nothing")
        .await
        .refused(404, "NotFound no such path: /v1/nothing");
    api.get("/").await.refused(404, "no such path");
    api.delete("/v1/size")
        .await
        .refused(405, "DELETE is not allowed on /v1/size");
    api.raw(Method::PATCH, "/v1/size/x", "{}")
        .await
        .refused(405, "PATCH");
}

#[tokio::test]
async fn an_error_goes_as_text_to_go_clients_and_as_json_to_others() {
    let api = Api::new();
    for (agent, path, expected) in [
        (
            "Go-http-client/2.0",
            "/v1/size/x",
            "text/plain; charset=utf-8",
        ),
        ("metalctl/v0.18", "/v1/size/x", "text/plain; charset=utf-8"),
        ("curl/8.0", "/v1/size/x", "application/json"),
        (
            "OpenAPI-Generator/0.45.0/python",
            "/v1/size/x",
            "application/json",
        ),
        ("Go-http-client/2.0", "/v1/size", "application/json"),
    ] {
        let request = Request::builder().uri(path).header("user-agent", agent);
        let request = request.body(Body::empty()).unwrap();
        let response = api.0.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            expected,
            "{agent} {path}"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(serde_json::from_slice::<Value>(&body).is_ok());
    }
}

/// What the edge does with every answer.
async fn readable(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let go = is_go(request.headers());
    let mut response = next.run(request).await;
    make_readable(go, &mut response);
    response
}
