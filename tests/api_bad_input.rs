//! Bad requests over real HTTPS: each is answered with the API's error body,
//! says what is wrong, and changes nothing.

mod support;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use support::{
    Answer, Client, Node, Role, Settings, Signature, Snapshot, assert_error, sign_at, sign_now,
};

const ROLES: [Role; 3] = [Role::View, Role::Edit, Role::Admin];

/// A size of as many cores as its id has letters: sizes must not overlap.
fn size(id: &str) -> Value {
    let cores = id.len();
    json!({
        "id": id,
        "name": id,
        "constraints": [{ "type": "cores", "min": cores, "max": cores }],
    })
}

/// A node that holds one size, and how things stand.
async fn node_with_a_size(settings: Settings) -> (Node, Client, Snapshot) {
    let node = Node::with(settings);
    let admin = node.client(Role::Admin);
    let created = admin.put("/v1/size", size("kept")).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let before = Snapshot::take(&admin).await;
    (node, admin, before)
}

/// Sends `body` as it is, signed anew.
async fn send(client: &Client, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let signature = client.sign(method);
    client
        .try_send(method, path, Some(&signature), Some(body.into()))
        .await
        .expect("an answer")
}

/// A write of a new size with exactly this signature.
async fn write_with(client: &Client, signature: Option<&Signature>) -> Answer {
    let body = size("intruder").to_string().into_bytes();
    client
        .try_send("PUT", "/v1/size", signature, Some(body))
        .await
        .expect("an answer")
}

#[tokio::test]
async fn malformed_json_is_refused() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    for body in [
        "",
        "{",
        "nonsense",
        "[]",
        "\"text\"",
        "null",
        r#"{"id":"a"} {"id":"b"}"#,
        r#"{"id":"a","id":"b","constraints":[]}"#,
        "{\"id\":\"\u{0}",
        r#"[["acme"]]"#,
    ] {
        for (method, path) in [
            ("PUT", "/v1/size"),
            ("POST", "/v1/size"),
            ("PUT", "/v1/tenant"),
            ("PUT", "/v1/filesystemlayout"),
            ("PUT", "/v1/network"),
            ("POST", "/v1/network"),
            ("POST", "/v1/network/allocate"),
            ("POST", "/v1/network/find"),
            ("POST", "/v1/ip"),
            ("POST", "/v1/ip/allocate"),
            ("POST", "/v1/ip/allocate/192.0.2.1"),
            ("POST", "/v1/ip/find"),
        ] {
            let answer = send(&admin, method, path, body).await;
            assert_error(&answer, 400, "");
        }
    }
    let answer = send(&admin, "PUT", "/v1/size", b"\xff\xfe{}".to_vec()).await;
    assert_error(&answer, 400, "");
    let deep = "[".repeat(100_000);
    let answer = send(&admin, "PUT", "/v1/size", format!("{{\"x\":{deep}")).await;
    assert_error(&answer, 400, "");
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_wrong_type_is_refused_with_the_name_of_the_field() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    let cases = [
        ("/v1/size", json!({ "id": 7, "constraints": [] }), "id"),
        (
            "/v1/size",
            json!({ "id": "a", "constraints": [{ "type": "cores", "min": "four" }] }),
            "constraints[0].min",
        ),
        (
            "/v1/size",
            json!({ "id": "a", "constraints": [{ "type": "cores", "min": -1 }] }),
            "constraints[0].min",
        ),
        ("/v1/tenant", json!({ "meta": "acme" }), "meta"),
        ("/v1/tenant", json!({ "meta": [] }), "meta"),
        ("/v1/tenant", json!({ "quotas": [] }), "quotas"),
        (
            "/v1/project",
            json!({ "name": "a", "quotas": { "machine": { "quota": 1.5 } } }),
            "quotas.machine.quota",
        ),
        (
            "/v1/image",
            json!({ "id": "a-1.0", "url": "http://a", "features": "machine" }),
            "features",
        ),
        (
            "/v1/partition",
            json!({ "id": "a", "bootconfig": [] }),
            "bootconfig",
        ),
        (
            "/v1/filesystemlayout",
            json!({ "id": "a", "constraints": { "images": [] } }),
            "constraints.images",
        ),
        (
            "/v1/network",
            json!({ "id": "a", "prefixes": "10.0.0.0/8" }),
            "prefixes",
        ),
        (
            "/v1/network",
            json!({ "id": "a", "prefixes": [10] }),
            "prefixes[0]",
        ),
        (
            "/v1/network",
            json!({ "id": "a", "defaultchildprefixlength": { "IPv4": "22" } }),
            "defaultchildprefixlength.IPv4",
        ),
        ("/v1/network", json!({ "id": "a", "vrf": 1.5 }), "vrf"),
    ];
    for (path, body, field) in cases {
        assert_error(&admin.put(path, body).await, 400, field);
    }
    for (path, body, field) in [
        ("/v1/network/allocate", json!({ "length": [22] }), "length"),
        ("/v1/network/find", json!({ "nat": "yes" }), "nat"),
        ("/v1/ip/allocate", json!({ "tags": "a=b" }), "tags"),
        ("/v1/ip/allocate/10.0.0.1", json!({ "type": 1 }), "type"),
        ("/v1/ip", json!({ "tags": [null] }), "tags[0]"),
        ("/v1/ip/find", json!({ "ipaddress": 1 }), "ipaddress"),
    ] {
        assert_error(&admin.post(path, body).await, 400, field);
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

/// Values of the right type that are no prefix, no address, no family, or out of bounds; each of
/// the others would do.
#[tokio::test]
async fn a_network_or_address_that_cannot_be_is_refused_with_the_name_of_the_field() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    let many: Vec<_> = (0..300)
        .map(|n| format!("10.{}.{}.0/24", n / 256, n % 256))
        .collect();
    let labels: Map<String, Value> = (0..2000).map(|n| (format!("k{n}"), json!("v"))).collect();
    for (field, value) in [
        ("id", json!("x".repeat(600))),
        ("id", json!("a/../b\u{0}")),
        ("name", json!("x".repeat(100_000))),
        ("labels", Value::Object(labels)),
        ("prefixes", json!(["10.0.0.1/8"])),
        ("prefixes", json!(["10.0.0.0/33"])),
        ("prefixes", json!(["010.0.0.0/8"])),
        ("prefixes", json!(["::ffff:10.0.0.0/200"])),
        ("prefixes", json!(["10.0.0.0/8", "10.1.0.0/16"])),
        ("prefixes", json!([""])),
        ("prefixes", json!([])),
        ("prefixes", json!(many)),
        ("destinationprefixes", json!(["everywhere"])),
        ("defaultchildprefixlength", json!({ "IPv5": 22 })),
        ("vrf", json!(-1)),
        ("vrf", json!(131_073)),
        ("vrf", json!(i64::MAX)),
        ("nattype", json!("some")),
        ("networktype", json!("child")),
        ("partition", json!("../etc")),
    ] {
        let mut network = json!({ "id": "net", "prefixes": ["10.0.0.0/24"] });
        let name = if field == "partition" {
            "partitionid"
        } else {
            field
        };
        network[name] = value;
        let answer = admin.put("/v1/network", network).await;
        assert_error(&answer, 400, field);
    }
    let (project, network) = (json!("5c1d6f2a-7a07-4d0c-9b53-2f6f8c1f0a01"), json!("net"));
    for (path, body, status, part) in [
        (
            "/v1/ip/allocate",
            json!({ "projectid": project }),
            400,
            "networkid",
        ),
        (
            "/v1/ip/allocate",
            json!({ "networkid": network }),
            400,
            "projectid",
        ),
        (
            "/v1/ip/allocate",
            json!({ "networkid": network, "projectid": project, "type": "lasting" }),
            400,
            "type",
        ),
        (
            "/v1/ip/allocate",
            json!({ "networkid": network, "projectid": project, "addressfamily": "IPv5" }),
            400,
            "addressfamily",
        ),
        (
            "/v1/ip/allocate",
            json!({ "networkid": network, "projectid": project }),
            404,
            "net",
        ),
        (
            "/v1/ip/allocate/nonsense",
            json!({ "networkid": network, "projectid": project }),
            400,
            "nonsense",
        ),
        (
            "/v1/ip/find",
            json!({ "networkprefix": "10.0.0.0" }),
            400,
            "networkprefix",
        ),
        (
            "/v1/ip/find",
            json!({ "ipaddress": "10.0.0" }),
            400,
            "ipaddress",
        ),
        ("/v1/ip", json!({ "ipaddress": "10.0.0" }), 400, "ipaddress"),
        (
            "/v1/ip",
            json!({ "ipaddress": "10.0.0.1" }),
            404,
            "10.0.0.1",
        ),
        ("/v1/network", json!({ "id": "none" }), 404, "none"),
        (
            "/v1/network/find",
            json!({ "addressfamily": "v4" }),
            400,
            "addressfamily",
        ),
        (
            "/v1/network/find",
            json!({ "prefixes": ["x"] }),
            400,
            "prefixes",
        ),
        (
            "/v1/network/allocate",
            json!({ "projectid": project }),
            400,
            "partitionid",
        ),
        (
            "/v1/network/allocate",
            json!({ "projectid": project, "partitionid": "none" }),
            404,
            "",
        ),
    ] {
        let answer = admin.post(path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        assert_error(&answer, status, part);
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn fields_that_nobody_knows_are_ignored() {
    let node = Node::start();
    let admin = node.client(Role::Admin);
    let mut body = size("spare");
    body["from-the-future"] = json!({ "deep": [1, null] });
    body["constraints"][0]["unit"] = json!("core");
    let answer = admin.put("/v1/size", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let stored = admin.get("/v1/size/spare").await.json();
    assert!(stored.get("from-the-future").is_none(), "{stored}");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_with_413() {
    let settings = Settings::new().with("listen", "max-body = \"64KiB\"");
    let (node, admin, before) = node_with_a_size(settings).await;
    let mut long = size("long");
    long["description"] = "x".repeat(65 * 1024).into();
    let http1 = node.client_with(Role::Admin, node.tls(&["http/1.1"]));
    for client in [&admin, &http1] {
        assert_error(&client.put("/v1/size", long.clone()).await, 413, "too l");
    }
    let mut small = size("small");
    small["description"] = "x".repeat(200).into();
    assert_eq!(admin.put("/v1/size", small).await.status, 201);
    assert_eq!(admin.delete("/v1/size/small").await.status, 200);
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    for entity in [
        "tenant",
        "project",
        "partition",
        "size",
        "size/reservations",
        "size-image-constraint",
        "image",
        "filesystemlayout",
        "network",
        "network/free",
        "ip",
        "ip/free",
    ] {
        for id in ["none-1.0", "%2e%2e%2f", "%00", "a%20b", &"x".repeat(600)] {
            let path = format!("/v1/{entity}/{id}");
            // An address is freed, not deleted, and freeing has a path of its own.
            let answers = match entity {
                "ip" => vec![admin.get(&path).await],
                "ip/free" | "network/free" => vec![admin.delete(&path).await],
                _ => vec![admin.get(&path).await, admin.delete(&path).await],
            };
            for answer in answers {
                assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
                assert_error(&answer, answer.status, "");
            }
        }
        let path = format!("/v1/{entity}/none-1.0");
        let answer = match entity.ends_with("free") {
            true => admin.delete(&path).await,
            false => admin.get(&path).await,
        };
        assert_error(&answer, 404, "NotFound");
    }
    for path in [
        "/",
        "/v1",
        "/v2/size",
        "/v1/sizes",
        "/v1/size/a/b",
        "/v1/size/",
    ] {
        assert_error(&admin.get(path).await, 404, "");
    }
    assert_error(&admin.delete("/v1/size").await, 405, "DELETE");
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_role_that_is_too_low_is_refused_with_403() {
    let (node, admin, before) = node_with_a_size(Settings::new()).await;
    for role in [Role::View, Role::Edit] {
        let client = node.client(role);
        assert_eq!(client.get("/v1/size/kept").await.status, 200);
        let answers = [
            client.put("/v1/size", size("new")).await,
            client.post("/v1/size", size("kept")).await,
            client.delete("/v1/size/kept").await,
            client.put("/v1/tenant", json!({ "name": "t" })).await,
        ];
        for answer in &answers {
            assert_error(answer, 403, "maas-all-all-admin");
        }
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_stale_or_early_date_is_refused() {
    let (node, admin, before) = node_with_a_size(Settings::new()).await;
    // Lifetimes and skew are the defaults: 30 s for view and edit, 90 s for admin.
    for (role, lifetime) in ROLES.into_iter().zip([30, 30, 90]) {
        let client = node.client(role);
        let ask = async |age: i64| {
            let date = Utc::now() - TimeDelta::seconds(age);
            let signature = sign_at(&node.key(role), role, "GET", date);
            let asked = client.try_send("GET", "/v1/size/kept", Some(&signature), None);
            asked.await.expect("an answer")
        };
        assert_eq!(ask(lifetime - 5).await.status, 200, "{role}");
        assert_error(&ask(lifetime + 5).await, 403, "too old");
        assert_eq!(ask(-20).await.status, 200, "{role}");
        assert_error(&ask(-60).await, 403, "future");
        assert_error(&ask(-1_000_000_000).await, 403, "future");
    }
    let key = node.key(Role::Admin);
    for age in [120, -60] {
        let date = Utc::now() - TimeDelta::seconds(age);
        let signature = sign_at(&key, Role::Admin, "PUT", date);
        assert_eq!(write_with(&admin, Some(&signature)).await.status, 403);
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_wrong_or_missing_signature_is_refused() {
    let (node, admin, before) = node_with_a_size(Settings::new()).await;
    let key = node.key(Role::Admin);
    let good = || sign_now(&key, Role::Admin, "PUT");
    let change = |edit: fn(&mut Signature)| {
        let mut signature = good();
        edit(&mut signature);
        signature
    };
    let wrong = [
        sign_now("not the key", Role::Admin, "PUT"),
        // Another role's key, another role's name, another method.
        sign_now(&node.key(Role::View), Role::Admin, "PUT"),
        sign_now(&key, Role::View, "PUT"),
        sign_now(&key, Role::Admin, "POST"),
        change(|signature| signature.salt.push('x')),
        change(|signature| {
            signature.authorization.pop();
        }),
        change(|signature| signature.authorization.make_ascii_uppercase()),
        change(|signature| signature.authorization = "Bearer x".into()),
        change(|signature| signature.authorization = "Metal-Admin".into()),
        change(|signature| signature.date = "yesterday".into()),
        change(|signature| signature.salt.clear()),
    ];
    for signature in &wrong {
        assert_error(&write_with(&admin, Some(signature)).await, 403, "");
    }
    assert_error(
        &write_with(&admin, Some(&wrong[0])).await,
        403,
        "Wrong HMAC found",
    );
    assert_error(&write_with(&admin, None).await, 403, "");
    let nobody = admin.try_send("GET", "/v1/size/kept", None, None).await;
    assert_error(&nobody.expect("an answer"), 403, "");
    for path in ["/v1/health", "/v1/version"] {
        let answer = admin.try_send("GET", path, None, None).await;
        assert_eq!(answer.expect("an answer").status, 200, "{path}");
    }
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_writing_request_passes_once() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    let signature = admin.sign("PUT");
    assert_eq!(write_with(&admin, Some(&signature)).await.status, 201);
    assert_eq!(admin.delete("/v1/size/intruder").await.status, 200);
    assert_error(
        &write_with(&admin, Some(&signature)).await,
        403,
        "used before",
    );
    assert_eq!(Snapshot::take(&admin).await, before);

    // What only reads may be repeated.
    let signature = admin.sign("GET");
    for _ in 0..3 {
        let answer = admin.try_send("GET", "/v1/size/kept", Some(&signature), None);
        assert_eq!(answer.await.expect("an answer").status, 200);
    }
}

/// The signature covers neither path nor body.
#[tokio::test]
async fn the_signature_of_a_find_is_of_no_use_for_a_write() {
    let (_node, admin, before) = node_with_a_size(Settings::new()).await;
    let signature = admin.sign("POST");
    let find = || {
        let body = Some(b"{}".to_vec());
        admin.try_send("POST", "/v1/image/find", Some(&signature), body)
    };
    assert_eq!(find().await.expect("an answer").status, 200);
    let mut changed = size("kept");
    changed["name"] = "changed".into();
    let body = Some(changed.to_string().into_bytes());
    let write = admin.try_send("POST", "/v1/size", Some(&signature), body);
    assert_error(&write.await.expect("an answer"), 403, "used before");
    assert_eq!(find().await.expect("an answer").status, 200);
    assert_eq!(Snapshot::take(&admin).await, before);
}

#[tokio::test]
async fn a_signature_of_before_a_restart_writes_nothing_after_it() {
    let (mut node, admin, before) = node_with_a_size(Settings::new()).await;
    let signature = admin.sign("PUT");
    assert_eq!(write_with(&admin, Some(&signature)).await.status, 201);
    assert_eq!(admin.delete("/v1/size/intruder").await.status, 200);
    node.kill();
    // Dates are signed in whole seconds.
    let signed: DateTime<Utc> = signature.date.parse().expect("RFC 3339");
    while Utc::now().timestamp() == signed.timestamp() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    node.boot();
    let admin = node.client(Role::Admin);
    assert_error(&write_with(&admin, Some(&signature)).await, 403, "signed");
    assert_eq!(Snapshot::take(&admin).await, before);
}
