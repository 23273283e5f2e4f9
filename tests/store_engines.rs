//! The global store on a server: the way there, its absence, and what `check` says of it.

#[path = "../storage/tests/etcd/cluster.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "a part of it is used")]
mod cluster;
#[path = "../storage/tests/support/postgres.rs"]
mod postgres;
mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use cluster::{Cluster, Disk};
use postgres::{PASSWORD, Postgres, USER};
use support::{
    Client, Node, PATIENCE, Role, Settings, metal_edge, metric, replica_is_current, run,
};

/// One test at a time: servers and nodes choose their ports by different means.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The configuration of a node whose global store is this database.
fn on(server: &Postgres, database: &str, folder: &std::path::Path) -> Settings {
    let password = folder.join("password");
    fs::write(&password, PASSWORD).expect("written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("private");
    let port = server.port();
    let url = format!("postgres://{USER}@127.0.0.1:{port}/{database}");
    Settings::new().with_store("global", &url, &password)
}

/// Exit code, standard output and error of a command on the node's configuration.
fn edge(node: &Node, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (output, stdout, stderr) = run(metal_edge()
        .args(arguments)
        .arg("--config")
        .arg(node.config_file()));
    (output.status.code(), stdout, stderr)
}

#[track_caller]
fn done(node: &Node, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = edge(node, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stdout}{stderr}");
    stdout + &stderr
}

async fn make_tenant(client: &Client, id: &str) -> u16 {
    let meta = json!({ "id": id, "kind": "Tenant", "apiversion": "v1" });
    let body = json!({ "meta": meta, "name": id });
    client.put("/v1/tenant", body).await.status
}

async fn tenants(node: &Node) -> Vec<Value> {
    node.client(Role::Admin).list("/v1/tenant").await
}

/// What the node says of itself, once it does.
fn report(node: &Node) -> Option<Value> {
    let (_, stdout, _) = edge(node, &["status", "-o", "json"]);
    serde_json::from_str(&stdout).ok()
}

/// Waits until the verdict is this; never is it down meanwhile.
async fn verdict_becomes(node: &Node, wanted: &str) -> Value {
    let start = Instant::now();
    loop {
        if let Some(report) = report(node) {
            let verdict = &report["verdict"];
            if verdict["state"] == wanted {
                return report;
            }
            let why = verdict["why"].as_str().unwrap_or_default();
            let starting = why.contains("not probed yet");
            assert!(verdict["state"] != "down" || starting, "{report:#}");
        }
        assert!(start.elapsed() < PATIENCE, "{}", node.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A node on redb alone with some tenants, stopped, and its backup.
async fn filled() -> (Node, String, Vec<Value>) {
    let mut node = Node::start();
    for i in 0..20 {
        assert_eq!(
            make_tenant(&node.client(Role::Admin), &format!("t{i:02}")).await,
            201
        );
    }
    let before = tenants(&node).await;
    let path = node.scratch().join("backup").display().to_string();
    done(&node, &["store", "backup", &path]);
    node.stop();
    (node, path, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_partition_moves_its_global_records_from_its_file_to_postgresql() {
    let _alone = ALONE.lock().await;
    let server = Postgres::start();
    server.create_database("edge");
    let (from, path, before) = filled().await;
    let mut node = Node::prepare(on(&server, "edge", from.scratch()));
    assert!(done(&node, &["store", "migrate"]).contains("of this version"));
    done(&node, &["store", "restore", &path]);
    node.boot();
    assert_eq!(tenants(&node).await, before);
    assert_eq!(make_tenant(&node.client(Role::Admin), "after").await, 201);
    assert_eq!(server.sql("edge", "SELECT count(*) FROM tenant"), "21");
    let info: Value =
        serde_json::from_str(&done(&node, &["store", "info", "-o", "json"])).expect("JSON");
    assert_eq!(info["stores"][1]["engine"], "postgres");
    let version = info["stores"][1]["version"].as_str().expect("a version");
    assert!(version.starts_with("PostgreSQL 1"), "{version}");

    // And back: nobody is locked in.
    let back = from.scratch().join("back").display().to_string();
    done(&node, &["store", "backup", &back]);
    let after = tenants(&node).await;
    node.stop();
    let mut again = Node::prepare(Settings::new());
    done(&again, &["store", "restore", &back]);
    again.boot();
    assert_eq!(tenants(&again).await, after);
    // No password in anything that a node writes.
    assert!(!node.log().contains(PASSWORD), "{}", node.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_store_that_is_away_degrades_the_node_and_never_takes_it_down() {
    let _alone = ALONE.lock().await;
    let mut server = Postgres::start();
    server.create_database("edge");
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = Node::with(on(&server, "edge", folder.path()));
    verdict_becomes(&node, "healthy").await;
    assert_eq!(make_tenant(&node.client(Role::Admin), "before").await, 201);

    server.stop();
    let report = verdict_becomes(&node, "degraded").await;
    assert!(
        report["verdict"]["why"]
            .as_str()
            .expect("why")
            .contains("global store")
    );
    assert_eq!(report["store"]["ok"], true, "the local one works");
    assert_eq!(report["global_store"]["ok"], false);
    assert_eq!(make_tenant(&node.client(Role::Admin), "during").await, 503);

    // A node that starts meanwhile starts.
    node.stop();
    node.boot();
    verdict_becomes(&node, "degraded").await;

    server.run();
    verdict_becomes(&node, "healthy").await;
    assert_eq!(make_tenant(&node.client(Role::Admin), "after").await, 201);
    let mut names: Vec<_> = tenants(&node)
        .await
        .iter()
        .map(|t| t["meta"]["id"].clone())
        .collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, [json!("after"), json!("before")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_while_the_global_store_is_away_and_say_how_old_they_are() {
    const AGE: &str = "x-metal-scope-age";
    let _alone = ALONE.lock().await;
    let mut server = Postgres::start();
    server.create_database("edge");
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = Node::with(on(&server, "edge", folder.path()));
    verdict_becomes(&node, "healthy").await;
    assert_eq!(make_tenant(&node.client(Role::Admin), "before").await, 201);
    let answer = node.client(Role::View).get("/v1/tenant/before").await;
    assert_eq!((answer.status, answer.header(AGE)), (200, None));
    replica_is_current(&node).await;
    server.stop();

    // Also one that starts meanwhile.
    for _ in 0..2 {
        let (view, admin) = (node.client(Role::View), node.client(Role::Admin));
        let found = view
            .post("/v1/tenant/find", json!({ "id": "before" }))
            .await;
        for answer in [
            view.get("/v1/tenant/before").await,
            view.get("/v1/tenant").await,
            found,
        ] {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.text().contains("before"), "{answer:?}");
            let age = answer.header(AGE).expect("its age");
            let seconds = age
                .strip_prefix("global=")
                .and_then(|age| age.strip_suffix('s'));
            let seconds: u64 = seconds.expect("seconds").parse().expect("a number");
            assert!(seconds < 600, "{age}");
        }
        assert_eq!(view.get("/v1/tenant/never").await.status, 404);
        assert_eq!(make_tenant(&admin, "during").await, 503);
        assert_eq!(admin.delete("/v1/tenant/before").await.status, 503);
        assert!(metric(&node, "metal_edge_replica_fallbacks").await >= Some(3.0));
        node.stop();
        node.boot();
    }

    server.run();
    verdict_becomes(&node, "healthy").await;
    assert_eq!(make_tenant(&node.client(Role::Admin), "after").await, 201);
    let answer = node.client(Role::View).get("/v1/tenant/after").await;
    assert_eq!((answer.status, answer.header(AGE)), (200, None));
    replica_is_current(&node).await;
    assert_eq!(
        metric(&node, "metal_edge_replica_following ").await,
        Some(1.0)
    );
    assert_eq!(
        metric(&node, "metal_edge_replica_copies_total ").await,
        Some(0.0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_what_is_wrong_with_a_database_and_what_to_do() {
    let _alone = ALONE.lock().await;
    let mut server = Postgres::start();
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["empty", "newer", "readonly"] {
        server.create_database(name);
    }
    let node_on = |database: &str| Node::prepare(on(&server, database, folder.path()));
    let said = |node: &Node| -> String {
        let (_, stdout, stderr) = edge(node, &["check"]);
        assert!(!stdout.contains(PASSWORD) && !stderr.contains(PASSWORD));
        stdout + &stderr
    };
    let empty = node_on("empty");
    let text = said(&empty);
    assert!(
        text.contains("not migrated") && text.contains("metal-edge store migrate"),
        "{text}"
    );
    assert_eq!(
        server.sql(
            "empty",
            "SELECT count(*) FROM pg_tables WHERE tablename = 'tenant'"
        ),
        "0"
    );
    done(&empty, &["store", "migrate"]);
    let text = said(&empty);
    assert!(text.contains("reached, and of this version"), "{text}");

    let newer = node_on("newer");
    done(&newer, &["store", "migrate"]);
    server.sql(
        "newer",
        "INSERT INTO metal_migration (name, applied) VALUES ('common/9999_x', now())",
    );
    let text = said(&newer);
    assert!(
        text.contains("newer version") && text.contains("run the version"),
        "{text}"
    );

    let readonly = node_on("readonly");
    done(&readonly, &["store", "migrate"]);
    server.sql(
        "postgres",
        "ALTER DATABASE readonly SET default_transaction_read_only = on",
    );
    let text = said(&readonly);
    assert!(
        text.contains("read-only") && text.contains("primary"),
        "{text}"
    );

    let wrong = node_on("empty");
    fs::write(folder.path().join("password"), "wrong").expect("written");
    let text = said(&wrong);
    assert!(text.contains("password"), "{text}");
    fs::write(folder.path().join("password"), PASSWORD).expect("written");

    let missing = node_on("missing");
    let text = said(&missing);
    assert!(text.contains("missing"), "{text}");

    server.stop();
    let text = said(&empty);
    assert!(text.contains("see whether it runs"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_file_is_restored_into_etcd_and_served_from_there() {
    let _alone = ALONE.lock().await;
    let cluster = Cluster::start(Disk::Careless);
    let (_from, path, before) = filled().await;
    let hosts: Vec<_> = cluster.options().endpoints.clone();
    let settings =
        Settings::new().with("store", format!("global = \"etcd://{}\"", hosts.join(",")));
    let mut node = Node::prepare(settings);
    done(&node, &["store", "restore", &path]);
    let check = done(&node, &["check"]);
    assert!(check.contains("reached, and of this version"), "{check}");
    node.boot();
    assert_eq!(tenants(&node).await, before);
    assert_eq!(make_tenant(&node.client(Role::Admin), "after").await, 201);
    verdict_becomes(&node, "healthy").await;
}
