//! `metal-edge store`: backups of a node that goes on working, restored into another.

mod support;

use std::{
    fs, path::Path, process::Output, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering,
};

use serde_json::{Value, json};

use support::{Client, FileServer, Node, Role, Settings, metal_edge, run};

fn store(node: &Node, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (Output { status, .. }, stdout, stderr) = run(metal_edge()
        .arg("store")
        .args(arguments)
        .arg("--config")
        .arg(node.config_file()));
    (status.code(), stdout, stderr)
}

/// Succeeds; what it printed.
#[track_caller]
fn done(node: &Node, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = store(node, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stdout}{stderr}");
    stdout + &stderr
}

/// Fails; what it said.
#[track_caller]
fn refused(node: &Node, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = store(node, arguments);
    assert_eq!(code, Some(1), "{arguments:?}: {stdout}{stderr}");
    assert_eq!(stdout, "", "data of a command that failed");
    stderr
}

fn tenant(id: &str, name: &str) -> Value {
    let meta = json!({ "id": id, "kind": "Tenant", "apiversion": "v1" });
    json!({ "meta": meta, "name": name })
}

async fn make_tenant(client: &Client, id: &str, name: &str) {
    let answer = client.put("/v1/tenant", tenant(id, name)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn tenants(node: &Node) -> Vec<Value> {
    node.client(Role::Admin).list("/v1/tenant").await
}

fn file(node: &Node) -> String {
    node.scratch().join("backup").display().to_string()
}

/// A node that has stopped, with these tenants, and a backup of it.
async fn backed_up(names: &[&str]) -> (Node, String) {
    let mut node = Node::start();
    let client = node.client(Role::Admin);
    for name in names {
        make_tenant(&client, name, name).await;
    }
    let path = file(&node);
    done(&node, &["backup", &path]);
    node.stop();
    (node, path)
}

/// A node that has never been started, in the same partition.
fn fresh() -> Node {
    Node::prepare(Settings::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_node_that_is_written_to_holds_what_was_acknowledged_before() {
    let mut node = Node::start();
    let client = node.client(Role::Admin);
    for i in 0..50 {
        make_tenant(&client, &format!("before-{i:03}"), "before").await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (client, stop) = (client.clone(), Arc::clone(&stop));
        async move {
            let mut made = 0;
            while !stop.load(Ordering::Relaxed) {
                make_tenant(&client, &format!("meanwhile-{made:05}"), "meanwhile").await;
                made += 1;
            }
            made
        }
    });
    let path = file(&node);
    let said = tokio::task::block_in_place(|| done(&node, &["backup", &path]));
    stop.store(true, Ordering::Relaxed);
    let made: usize = writer.await.expect("every write was acknowledged");
    assert!(made > 0);
    assert!(said.contains("global as of revision"), "{said}");
    let all = tenants(&node).await;
    node.stop();

    let mut other = fresh();
    done(&other, &["restore", &path]);
    other.boot();
    let restored = tenants(&other).await;
    let of = |word: &str, list: &[Value]| -> Vec<Value> {
        let named = |tenant: &&Value| tenant["name"] == word;
        list.iter().filter(named).cloned().collect()
    };
    assert_eq!(of("before", &restored), of("before", &all));
    // Those made meanwhile are a beginning of them, in the order in which they were made.
    let meanwhile = of("meanwhile", &restored);
    let mut ids: Vec<_> = meanwhile.iter().map(|t| t["meta"]["id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    let expected: Vec<_> = (0..ids.len())
        .map(|i| json!(format!("meanwhile-{i:05}")))
        .collect();
    assert_eq!(ids, expected);
    // It works.
    make_tenant(&other.client(Role::Admin), "after", "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_is_backed_up_directly_and_into_the_same() {
    let (mut node, from_running) = backed_up(&["a", "b"]).await;
    let from_stopped = node.scratch().join("stopped").display().to_string();
    done(&node, &["backup", "--no-compression", &from_stopped]);
    let text = fs::read_to_string(&from_stopped).expect("plain lines");
    assert!(text.starts_with("{\"header\":"), "{text}");
    for path in [from_running, from_stopped] {
        let mut other = fresh();
        done(&other, &["restore", &path]);
        other.boot();
        node.boot();
        assert_eq!(tenants(&other).await, tenants(&node).await);
        node.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_kept_unless_it_is_to_be_replaced() {
    let (_node, path) = backed_up(&["new"]).await;
    let mut other = Node::start();
    make_tenant(&other.client(Role::Admin), "old", "old").await;

    let said = refused(&other, &["restore", &path]);
    assert!(
        said.contains("the node runs") && said.contains("stop it"),
        "{said}"
    );
    other.stop();
    let said = refused(&other, &["restore", &path]);
    assert!(
        said.contains("not empty") && said.contains("--replace"),
        "{said}"
    );
    other.boot();
    let ids = |list: Vec<Value>| -> Vec<Value> {
        list.into_iter()
            .map(|tenant| tenant["meta"]["id"].clone())
            .collect()
    };
    assert_eq!(ids(tenants(&other).await), [json!("old")]);
    other.stop();
    done(&other, &["restore", "--replace", &path]);
    other.boot();
    assert_eq!(ids(tenants(&other).await), [json!("new")]);
    // A backup is not overwritten by accident either.
    let said = refused(&other, &["backup", &path]);
    assert!(said.contains("is there already"), "{said}");
    done(&other, &["backup", "--force", &path]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_whole_changes_nothing() {
    let (node, path) = backed_up(&["a", "b", "c"]).await;
    let good = fs::read(&path).expect("the backup");
    done(&node, &["backup", "--no-compression", "--force", &path]);
    let plain = fs::read_to_string(&path).expect("plain lines");
    let mut flipped = good.clone();
    let middle = flipped.len() * 3 / 4;
    flipped[middle] ^= 1;
    let newer = plain.replacen("\"version\":1", "\"version\":9", 1);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("corrupted", flipped, "damaged"),
        (
            "changed",
            plain.replacen("\"a\"", "\"A\"", 1).into(),
            "damaged",
        ),
        ("truncated", good[..good.len() - 5].to_vec(), "truncated"),
        ("foreign", b"PK\x03\x04 and so on\n".to_vec(), "no backup"),
        ("newer", newer.into(), "format 9"),
        ("empty", Vec::new(), "no backup"),
    ];
    let other = fresh();
    let bad = other.scratch().join("bad");
    for (what, content, expected) in cases {
        fs::write(&bad, content).expect("written");
        let said = refused(&other, &["restore", &bad.display().to_string()]);
        assert!(said.contains(expected), "{what}: {said}");
        assert!(
            said.contains("nothing was restored") && said.contains("fix: "),
            "{what}: {said}"
        );
    }
    let missing = other.scratch().join("missing").display().to_string();
    let said = refused(&other, &["restore", &missing]);
    assert!(said.contains(&missing), "{said}");
    // Nothing is there: the good one is taken.
    fs::write(&bad, good).expect("written");
    done(&other, &["restore", &bad.display().to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_of_every_partition_that_a_node_keeps_are_in_its_backup() {
    let mut node = Node::start();
    let client = node.client(Role::Admin);
    let files = FileServer::start();
    let boot = files.url("/boot/kernel");
    let boot = json!({ "kernelurl": boot, "imageurl": boot });
    let partition = json!({ "id": "second", "bootconfig": boot });
    let answer = client.put("/v1/partition", partition).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let network = json!({ "id": "dmz", "partitionid": "second", "destinationprefixes": [],
                          "prefixes": ["192.0.2.0/24"], "vrf": 7 });
    let answer = client.put("/v1/network", network).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let before = client.list("/v1/network").await;
    let path = file(&node);
    let said = done(&node, &["backup", &path]);
    assert!(said.contains("partition/second as of revision"), "{said}");
    node.stop();

    let mut other = fresh();
    done(&other, &["restore", &path]);
    other.boot();
    assert_eq!(other.client(Role::Admin).list("/v1/network").await, before);
    let (output, stdout, stderr) = run(metal_edge()
        .args(["ipam", "fsck", "--config"])
        .arg(other.config_file()));
    assert!(output.status.success(), "{stdout}{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_another_partition_is_restored_by_the_scope_that_both_have() {
    let (_node, path) = backed_up(&["a"]).await;
    let mut other = fresh();
    let text = fs::read_to_string(other.config_file()).expect("the configuration");
    let text = text.replace("partition = \"test\"", "partition = \"elsewhere\"");
    fs::write(other.config_file(), text).expect("written");
    let said = refused(&other, &["restore", &path]);
    assert!(
        said.contains("partition/test") && said.contains("--scope"),
        "{said}"
    );
    done(&other, &["restore", "--scope", "global", &path]);
    other.boot();
    assert_eq!(tenants(&other).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_are_described_while_the_node_runs_and_when_it_does_not() {
    let mut node = Node::start();
    make_tenant(&node.client(Role::Admin), "a", "a").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let said = done(&node, &["info", "-o", "json"]);
        let info: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(info["stores"][0]["engine"], "redb");
        assert_eq!(info["stores"][0]["role"], "global and local");
        assert!(info["stores"][0]["bytes"].as_u64() > Some(0));
        assert_eq!(info["scopes"][0]["scope"], "global");
        assert_eq!(info["scopes"][1]["scope"], "partition/test");
        seen.push(info["scopes"][0]["revision"].clone());
        if seen.len() == 1 {
            let said = refused(&node, &["migrate"]);
            assert!(said.contains("the node runs"), "{said}");
            node.stop();
        }
    }
    assert_eq!(seen[0], seen[1]);
    assert!(done(&node, &["migrate"]).contains("is of this version"));
    assert!(done(&node, &["info"]).contains("revision"));
}

#[test]
fn a_bucket_needs_credentials_and_a_service_that_is_not_in_the_clear() {
    let node = fresh();
    let command = |arguments: &[&str], keys: bool| {
        let mut command = metal_edge();
        command
            .env("HOME", node.scratch())
            .args(["store", "restore", "s3://bucket/key"])
            .args(arguments)
            .arg("--config")
            .arg(node.config_file());
        if keys {
            command.env("AWS_ACCESS_KEY_ID", "me");
            command.env("AWS_SECRET_ACCESS_KEY", "s3cret");
        }
        let (output, _, stderr) = run(&mut command);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(!stderr.contains("s3cret"), "{stderr}");
        stderr
    };
    assert!(command(&[], false).contains("no credentials"));
    let plain = ["--s3-endpoint", "http://s3.example.net"];
    assert!(command(&plain, true).contains("https://"));
    let missing = ["--s3-credentials-file", "/nonexistent/keys"];
    assert!(command(&missing, true).contains("/nonexistent/keys"));
}

#[test]
fn a_node_that_never_ran_has_nothing_to_back_up() {
    let node = fresh();
    for arguments in [&["backup", &file(&node)][..], &["info"]] {
        let said = refused(&node, arguments);
        assert!(said.contains("no node has run"), "{said}");
    }
    assert!(!node.data_dir().exists());
    assert!(!Path::new(&file(&node)).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_a_file_that_is_no_store_and_leaves_it_as_it_is() {
    let mut node = Node::start();
    node.stop();
    let path = node.data_dir().join("store.redb");
    let good = fs::read(&path).expect("the store");
    let check = || {
        let (output, stdout, _) = run(metal_edge()
            .args(["check", "--config"])
            .arg(node.config_file()));
        (output.status.code(), stdout)
    };
    let (_, said) = check();
    assert!(
        said.contains("store.redb can be read and written"),
        "{said}"
    );
    assert_eq!(fs::read(&path).expect("there"), good);

    let mut beginning = good.clone();
    beginning[..64].fill(0);
    for bad in [Vec::new(), b"hello".to_vec(), beginning] {
        fs::write(&path, &bad).expect("written");
        let (code, said) = check();
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("store.redb") && said.contains("store restore"),
            "{said}"
        );
        let (code, stdout, stderr) = store(&node, &["info"]);
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        assert_eq!(fs::read(&path).expect("there"), bad, "changed by a look");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_read_the_data_directory_gets_a_backup() {
    let node = Node::start();
    let url = format!("http://{}/store/backup", node.admin());
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    for token in ["", "wrong"] {
        let answer = client
            .post(&url)
            .bearer_auth(token)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 403);
    }
    let token = fs::read_to_string(node.data_dir().join("admin.token")).expect("the token");
    let answer = client
        .post(&url)
        .bearer_auth(token.trim())
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .bytes()
            .await
            .expect("a body")
            .starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    );
}

#[test]
fn a_wrong_store_is_refused_and_no_password_is_repeated() {
    for (key, line, expected) in [
        ("global", "global = \"redbb\"", "expected"),
        ("global", "global = \"redb://elsewhere\"", "redb"),
        ("local", "local = \"mysql://host/database\"", "expected"),
        ("local", "local = 5", "expected"),
        (
            "global",
            "global = \"postgres://me:s3cret@host/d\"",
            "password-file",
        ),
        (
            "global",
            "global = \"etcd://host?password=s3cret\"",
            "password-file",
        ),
        ("globall", "globall = \"redb\"", "did you mean store.global"),
        (
            "global-password-file",
            "global-password-file = \"/x\"",
            "no use",
        ),
    ] {
        let node = Node::prepare(Settings::new().with("store", line));
        let (output, stdout, stderr) = run(metal_edge()
            .args(["config", "check", "--config"])
            .arg(node.config_file()));
        assert_eq!(output.status.code(), Some(1), "{line}: {stdout}{stderr}");
        let text = fs::read_to_string(node.config_file()).expect("written");
        let at = 1 + text.lines().position(|found| found == line).expect("there");
        let place = format!("{}:{at}:", node.config_file().display());
        assert!(stderr.contains(&place), "{line}: {stderr}");
        assert!(
            stderr.contains(&format!("store.{key}: ")),
            "{line}: {stderr}"
        );
        assert!(stderr.contains(expected), "{line}: {stderr}");
        assert!(!stderr.contains("s3cret"), "{line}: {stderr}");
        assert!(!Path::new(&node.data_dir()).exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_global_and_the_local_store_can_be_different_ones() {
    let mut node = Node::with(Settings::new().with("store", "global = \"memory\""));
    make_tenant(&node.client(Role::Admin), "a", "a").await;
    let said = done(&node, &["info", "-o", "json"]);
    let info: Value = serde_json::from_str(&said).expect("JSON");
    let stores: Vec<_> = info["stores"].as_array().expect("stores").iter().collect();
    assert_eq!(
        (&stores[0]["role"], &stores[0]["engine"]),
        (&json!("local"), &json!("redb"))
    );
    assert_eq!(
        (&stores[1]["role"], &stores[1]["engine"]),
        (&json!("global"), &json!("memory"))
    );
    // It has been probed when it says so.
    let start = std::time::Instant::now();
    loop {
        let (_, status, _) = run(metal_edge()
            .args(["status", "--config"])
            .arg(node.config_file()));
        if status.contains("global store  memory ok") {
            break;
        }
        assert!(start.elapsed() < support::PATIENCE, "{status}");
    }

    // From memory to a file: the way from one engine to another.
    let path = file(&node);
    done(&node, &["backup", &path]);
    node.stop();
    let mut other = fresh();
    done(&other, &["restore", &path]);
    other.boot();
    assert_eq!(tenants(&other).await.len(), 1);
}
