//! The audit trail of a real node: what was changed and refused, by whom, and
//! that it is still there after a restart.

#[path = "../storage/tests/support/postgres.rs"]
mod postgres;
mod support;

use std::{fs, os::unix::fs::PermissionsExt};

use postgres::{PASSWORD, Postgres, USER};
use serde_json::{Value, json};

use support::{Client, Node, Role, Settings, sign_now};

async fn find(client: &Client, search: Value) -> Vec<Value> {
    let answer = client.post("/v1/audit/find", search).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().as_array().expect("a list").clone()
}

/// What the entries of a search say, the newest first.
async fn said(client: &Client, search: Value, field: &str) -> Vec<Value> {
    let found = find(client, search).await;
    found
        .into_iter()
        .map(|entry| entry[field].clone())
        .collect()
}

fn secretive(id: &str) -> Value {
    json!({ "id": id, "labels": { "api-token": "hidden", "site": "river" } })
}

#[tokio::test]
async fn a_change_is_in_the_trail_with_who_what_and_result_and_without_its_secrets() {
    let node = Node::start();
    let (admin, view) = (node.client(Role::Admin), node.client(Role::View));
    let made = admin.put("/v1/size", secretive("s")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let rqid = made.header("x-request-id").expect("every answer has one");

    let found = find(&view, json!({ "rqid": rqid })).await;
    let [answer, request] = &found[..] else {
        panic!("{found:?}");
    };
    for entry in [answer, request] {
        assert_eq!(entry["user"], "metal-admin@metal-stack.io");
        assert_eq!(entry["tenant"], "metal-stack");
        assert_eq!(entry["detail"], "PUT");
        assert_eq!(entry["path"], "/v1/size");
        assert_eq!(entry["component"], "metal-edge");
        assert_eq!(entry["type"], "http");
        let from = entry["remote_addr"].as_str().expect("an address");
        assert!(from.starts_with("127.0.0.1:"), "{from}");
        let body = entry["body"].as_str().expect("a body");
        assert!(!body.contains("hidden"), "{body}");
        assert!(body.contains(r#""api-token":"(redacted)""#), "{body}");
        assert!(body.contains(r#""site":"river""#), "{body}");
    }
    assert_eq!(
        (&request["phase"], &answer["phase"]),
        (&json!("request"), &json!("response"))
    );
    assert_eq!(answer["status_code"], 201);
    assert!(request.get("status_code").is_none());
    assert!(!node.log().contains("hidden"));

    // Reading leaves nothing.
    view.get("/v1/size").await;
    find(&view, json!({})).await;
    assert_eq!(find(&view, json!({})).await.len(), 2);
}

#[tokio::test]
async fn refused_changes_are_in_the_trail_whoever_asked() {
    let node = Node::start();
    let (admin, view) = (node.client(Role::Admin), node.client(Role::View));
    admin.put("/v1/size", json!({ "id": "" })).await;
    view.put("/v1/size", secretive("s")).await;
    let forged = sign_now("not-the-key", Role::Admin, "DELETE");
    let answer = admin
        .try_send("DELETE", "/v1/size/s", Some(&forged), None)
        .await
        .expect("an answer");
    assert_eq!(answer.status, 403);
    let answers = json!({ "phase": "response" });
    assert_eq!(
        said(&admin, answers.clone(), "status_code").await,
        [403, 403, 400]
    );
    let errors = said(&admin, answers.clone(), "error").await;
    for (error, part) in errors
        .iter()
        .zip(["Wrong HMAC", "not member in one of", "id: should"])
    {
        assert!(error.as_str().expect("why").contains(part), "{error}");
    }
    assert_eq!(
        said(&admin, answers, "user").await,
        [
            json!(null),
            json!("metal-view@metal-stack.io"),
            json!("metal-admin@metal-stack.io")
        ]
    );
    // What nobody may read is not kept either.
    assert!(
        !json!(find(&admin, json!({})).await)
            .to_string()
            .contains("river")
    );
}

// While one thread waits for the node's end, the other closes the client's connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_outlives_a_restart_and_says_so_in_the_metrics() {
    let mut node = Node::start();
    let admin = node.client(Role::Admin);
    for id in ["a", "b", "c"] {
        admin.put("/v1/size", json!({ "id": id })).await;
    }
    // At once: what still waits is written at the end.
    assert_eq!(node.stop(), Some(0));
    node.boot();
    let admin = node.client(Role::Admin);
    assert_eq!(find(&admin, json!({ "status_code": 201 })).await.len(), 3);
    assert_eq!(find(&admin, json!({ "phase": "request" })).await.len(), 3);
    admin.delete("/v1/size/a").await;
    assert_eq!(
        said(&admin, json!({ "limit": 1 }), "path").await,
        ["/v1/size/a"]
    );

    let metrics = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let url = format!("http://{}/metrics", node.admin());
    let text = metrics
        .get(url)
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    for line in [
        "metal_edge_audit_entries_total 2",
        "metal_edge_audit_entries_waiting 0",
        "metal_edge_task_alive{task=\"audit\"} 1",
        "metal_edge_task_alive{task=\"audit retention\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn the_configuration_bounds_the_trail_and_refuses_bounds_that_make_no_sense() {
    let node = Node::with(Settings::new().with("audit", "max-body = \"256\""));
    let admin = node.client(Role::Admin);
    let long = json!({ "id": "s", "description": "x".repeat(3000) });
    admin.put("/v1/size", long).await;
    for body in said(&admin, json!({}), "body").await {
        let body = body.as_str().expect("a body").to_owned();
        assert!(
            body.len() < 256 + 64 && body.ends_with("bytes more)"),
            "{body}"
        );
    }
    for (line, why) in [
        ("max-age = \"5m\"", "audit.max-age: must be from 1h"),
        ("max-entries = 10", "audit.max-entries: must be from 1000"),
        ("max-body = \"1MiB\"", "audit.max-body: must be from 256"),
        ("queue = 1", "audit.queue: must be from 64"),
        ("max-agee = \"90d\"", "did you mean audit.max-age?"),
    ] {
        let node = Node::prepare(Settings::new().with("audit", line));
        let checked = support::metal_edge()
            .args(["config", "check", "--config"])
            .arg(node.config_file())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(
            !checked.status.success() && said.contains(why),
            "{line}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_is_kept_and_searched_in_a_local_store_on_postgresql() {
    let server = Postgres::start();
    server.create_database("edge");
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    fs::write(&password, PASSWORD).expect("written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("private");
    let url = format!("postgres://{USER}@127.0.0.1:{}/edge", server.port());
    let file = format!("local-password-file = {:?}", password.display().to_string());
    let settings = Settings::new().with("store", format!("local = \"{url}\""));
    let node = Node::with(settings.with("store", file));
    let (admin, view) = (node.client(Role::Admin), node.client(Role::View));
    for id in ["a", "b", "c"] {
        admin.put("/v1/size", secretive(id)).await;
        view.delete(&format!("/v1/size/{id}")).await;
    }
    let paths = ["/v1/size/c", "/v1/size/b", "/v1/size/a"];
    let by_view = json!({ "user": "metal-view@metal-stack.io", "phase": "response" });
    assert_eq!(said(&admin, by_view.clone(), "path").await, paths);
    let times = said(&admin, by_view.clone(), "timestamp").await;
    let mut middle = by_view;
    (middle["from"], middle["to"]) = (times[1].clone(), times[1].clone());
    assert_eq!(said(&admin, middle, "path").await, ["/v1/size/b"]);
    assert_eq!(find(&admin, json!({ "user": "edge" })).await.len(), 0);

    let sql = |statement: &str| server.sql("edge", statement);
    assert_eq!(
        sql("SELECT count(*) FROM audit WHERE scope LIKE '%test%'"),
        "12"
    );
    assert_eq!(
        sql("SELECT count(*) FROM audit WHERE doc::text LIKE '%hidden%'"),
        "0"
    );
    assert_eq!(
        sql("SELECT sum((doc->>'entries')::int) FROM auditbucket"),
        "12"
    );
}
