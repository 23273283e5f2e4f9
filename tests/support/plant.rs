use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, Client, FileServer, Node, metal_edge, run};

/// The partition of [`furnish`], which is also that of a test's node.
pub const PARTITION: &str = "test";

/// The project of [`furnish`].
pub const PROJECT: &str = "5c1d6f2a-7a07-4d0c-9b53-2f6f8c1f0a01";

/// Makes a partition, a tenant and a project, and networks: `super` and `plain` of the partition,
/// and `internet`, which is of all partitions.
pub async fn furnish(admin: &Client, files: &FileServer) {
    let partition = json!({
        "id": PARTITION,
        "bootconfig": {
            "imageurl": files.url("/boot/initrd.img.lz4"),
            "kernelurl": files.url("/boot/kernel"),
            "commandline": "console=ttyS1",
        },
    });
    created(&admin.put("/v1/partition", partition).await);
    let meta = |kind: &str, id: &str| json!({ "id": id, "kind": kind, "apiversion": "v1" });
    let tenant = json!({ "meta": meta("Tenant", "rivergate"), "name": "rivergate" });
    created(&admin.put("/v1/tenant", tenant).await);
    let project = json!({
        "meta": meta("Project", PROJECT),
        "name": "assembly",
        "tenant_id": "rivergate",
    });
    created(&admin.put("/v1/project", project).await);
    for network in [
        json!({ "id": "super", "partitionid": PARTITION, "privatesuper": true,
                "prefixes": ["10.64.0.0/14"], "defaultchildprefixlength": { "IPv4": 22 } }),
        json!({ "id": "plain", "partitionid": PARTITION, "prefixes": ["10.80.0.0/16"] }),
        json!({ "id": "internet", "prefixes": ["203.0.113.0/24"], "vrf": 104_009,
                "destinationprefixes": ["0.0.0.0/0"] }),
    ] {
        created(&admin.put("/v1/network", network).await);
    }
}

#[track_caller]
fn created(answer: &Answer) {
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// The body that asks for any address of a network.
pub fn address_of(network: &str) -> Value {
    json!({ "networkid": network, "projectid": PROJECT, "type": "static" })
}

/// Allocates an address of a network; it is there.
pub async fn take_address(client: &Client, network: &str) -> String {
    let answer = client.post("/v1/ip/allocate", address_of(network)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let address = answer.json()["ipaddress"].as_str().map(str::to_owned);
    address.expect("an address")
}

/// The addresses of a network that are listed; none twice.
pub async fn addresses(client: &Client, network: &str) -> BTreeSet<String> {
    let answer = client
        .post("/v1/ip/find", json!({ "networkid": network }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut seen = BTreeSet::new();
    for ip in answer.json().as_array().expect("a list") {
        let address = ip["ipaddress"].as_str().expect("an address").to_owned();
        assert!(seen.insert(address), "{ip} is listed twice");
    }
    seen
}

/// What `metal-edge ipam` says on this node: exit code, standard output and error.
pub fn ipam(node: &Node, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (output, stdout, stderr) = run(metal_edge()
        .arg("ipam")
        .args(arguments)
        .arg("--data-dir")
        .arg(node.data_dir()));
    (output.status.code(), stdout, stderr)
}

/// The node's `metal-edge ipam fsck` finds nothing wrong.
#[track_caller]
pub fn all_agrees(node: &Node) {
    let (code, stdout, stderr) = ipam(node, &["fsck"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("all agrees"), "{stdout}{stderr}");
}

/// Addresses of the blocks of a network that this node knows of, and how many of them are used.
#[track_caller]
pub fn blocks(node: &Node, network: &str) -> (u64, u64) {
    let (code, stdout, stderr) = ipam(node, &["blocks", "-o", "json"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let blocks: Value = serde_json::from_str(&stdout).expect("JSON");
    let of_network = |block: &&Value| block["network"] == network;
    let sum = |field: &str| {
        let blocks = blocks.as_array().expect("a list").iter();
        let figures = blocks.filter(of_network).map(|block| block[field].as_u64());
        figures.map(|figure| figure.expect("a figure")).sum()
    };
    (sum("addresses"), sum("used"))
}
