//! `metal-edge ipam` beside a running node.

mod support;

use metal_storage::{Batch, Key, Name, Redb, RedbOptions, Scope, Store, Write};
use serde_json::{Value, json};

use support::{
    FileServer, Node, PROJECT, Role, address_of, all_agrees, blocks, furnish, ipam, metal_edge,
    run, take_address,
};

/// A node with networks, and an address of `internet` and one of `plain`.
async fn furnished() -> (Node, FileServer, [String; 2]) {
    let (node, files) = (Node::start(), FileServer::start());
    let admin = node.client(Role::Admin);
    furnish(&admin, &files).await;
    let addresses = [
        take_address(&admin, "internet").await,
        take_address(&admin, "plain").await,
    ];
    (node, files, addresses)
}

#[test]
fn the_help_of_ipam_says_what_blocks_are_and_what_can_be_done() {
    let help = |arguments: &[&str]| {
        let (output, stdout, stderr) = run(metal_edge().arg("ipam").args(arguments));
        (output.status.code(), stdout + &stderr)
    };
    let (code, text) = help(&["--help"]);
    assert_eq!(code, Some(0), "{text}");
    for wanted in [
        "Usage: metal-edge ipam <COMMAND>",
        "blocks",
        "fsck",
        "revoke",
        "is cut into blocks. Each belongs to one partition",
        "Exit codes: 0 all is well, 1 it is not",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
    }
    let (code, text) = help(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("Usage: metal-edge ipam"), "{text}");
    for (command, wanted) in [
        ("blocks", "which partition hands out which addresses"),
        ("fsck", "it changes nothing"),
        ("revoke", "--fenced"),
    ] {
        let (code, text) = help(&[command, "--help"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
        assert!(text.contains("Examples:"), "{text}");
    }
}

#[test]
fn without_a_node_ipam_says_so_and_how_to_start_one() {
    let node = Node::prepare(support::Settings::new());
    for arguments in [
        ["blocks"].as_slice(),
        &["fsck"],
        &["revoke", "--fenced", "4/0"],
    ] {
        let (code, stdout, stderr) = ipam(&node, arguments);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains("no node runs on"), "{stderr}");
        assert!(stderr.contains("fix: start it with"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_shown_with_their_owner_and_what_is_used_of_them() {
    let (node, _files, [address, _]) = furnished().await;
    let (code, text, stderr) = ipam(&node, &["blocks"]);
    assert_eq!(code, Some(0), "{text}{stderr}");
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let head = lines.next().expect("a head");
    let names = [
        "network",
        "partition",
        "first",
        "last",
        "addresses",
        "used",
        "block",
    ];
    assert!(
        head.iter().map(|name| name.to_lowercase()).eq(names),
        "{text}"
    );
    let row = lines.next().expect("a block");
    assert_eq!(
        row[..6],
        ["internet", "test", "203.0.113.1", "203.0.113.4", "4", "1"]
    );
    // A network of one partition has none.
    assert_eq!(lines.next(), None, "{text}");

    let (code, json, stderr) = ipam(&node, &["blocks", "-o", "json"]);
    assert_eq!(code, Some(0), "{json}{stderr}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let wanted = json!([{
        "id": row[6], "network": "internet", "prefix": "203.0.113.0/24", "partition": "test",
        "first": "203.0.113.1", "last": "203.0.113.4", "addresses": 4, "used": 1,
    }]);
    assert_eq!(json, wanted);
    assert_eq!(address, "203.0.113.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fsck_finds_nothing_wrong_and_then_the_record_that_was_damaged() {
    let (mut node, _files, [address, _]) = furnished().await;
    all_agrees(&node);
    let (code, json, _) = ipam(&node, &["fsck", "-o", "json"]);
    assert_eq!((code, json.trim()), (Some(0), "[]"));

    // The record of an address is lost; its place in the pool is not.
    assert_eq!(node.stop(), Some(0));
    let store = Redb::open(node.data_dir().join("store.redb"), RedbOptions::default());
    let store = store.expect("the node has gone");
    let scope = Scope::Partition("test".try_into().expect("a name"));
    let mut batch = Batch::new(scope.clone());
    let key = Key::new(scope, Name::from_static("ip"), &address).expect("a key");
    batch.writes.push(Write::Delete(key));
    store.commit(batch).await.expect("committed");
    store.close().await;
    drop(store);
    node.boot();

    let mut said = Vec::new();
    for _ in 0..2 {
        let (code, stdout, stderr) = ipam(&node, &["fsck"]);
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        let lost = format!("{address} of pool net/203.0.113.0-24 is neither free nor in use");
        assert_eq!(stdout.trim(), format!("partition/test: {lost}"));
        assert!(stderr.contains("1 finding"), "{stdout}{stderr}");
        said.push(stdout);
    }
    assert_eq!(said[0], said[1], "it changes nothing");
    let (code, json, _) = ipam(&node, &["fsck", "-o", "json"]);
    assert_eq!(code, Some(1));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[0]["scope"], "partition/test");
    // The address is nobody's and is not handed out, either.
    let next = take_address(&node.client(Role::Admin), "internet").await;
    assert_ne!(next, address);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_is_revoked_only_by_who_says_that_its_owner_is_fenced() {
    let (node, _files, [address, _]) = furnished().await;
    let (_, json, _) = ipam(&node, &["blocks", "-o", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let block = json[0]["id"].as_str().expect("an id");

    let (code, stdout, stderr) = ipam(&node, &["revoke", block]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("may hand out its addresses"), "{stderr}");
    assert!(
        stderr.contains("fix: switch the owner's nodes off"),
        "{stderr}"
    );
    assert!(stderr.contains("--fenced"), "{stderr}");
    assert_eq!(blocks(&node, "internet"), (4, 1));

    let unknown = "4/000000000000000000000000cb0071ff";
    let (code, _, stderr) = ipam(&node, &["revoke", "--fenced", unknown]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains(unknown), "{stderr}");
    assert!(
        stderr.contains("fix: see what there is: metal-edge ipam blocks"),
        "{stderr}"
    );

    let (code, stdout, stderr) = ipam(&node, &["revoke", "--fenced", block]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(
        stderr.contains("3 addresses are the network's again"),
        "{stderr}"
    );
    // What is handed out stays.
    assert_eq!(blocks(&node, "internet"), (1, 1));
    let admin = node.client(Role::Admin);
    assert_eq!(admin.get(&format!("/v1/ip/{address}")).await.status, 200);
    all_agrees(&node);
    let (code, _, stderr) = ipam(&node, &["revoke", "--fenced", block]);
    assert_eq!(code, Some(1), "{stderr}");
    // What was revoked is handed out again, from another block.
    let answer = admin.post("/v1/ip/allocate", address_of("internet")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["projectid"], PROJECT);
    all_agrees(&node);
}
