use super::*;

/// The private super network of partition `dev`.
fn super_network() -> Value {
    json!({"id": "super", "name": "Project Super Network", "partitionid": "dev",
           "prefixes": ["10.0.0.0/16", "2001:db8:0:10::/64"], "destinationprefixes": [],
           "defaultchildprefixlength": {"IPv4": 22, "IPv6": 96},
           "additionalAnnouncableCIDRs": ["10.240.0.0/12"],
           "privatesuper": true, "underlay": false, "nat": false,
           "nattype": null, "networktype": null})
}

/// A network of all partitions.
pub(super) fn internet() -> Value {
    json!({"id": "internet", "prefixes": ["203.0.113.0/24"], "destinationprefixes": ["0.0.0.0/0"],
           "vrf": 104_009, "nat": true, "privatesuper": false, "underlay": false,
           "labels": {"network.metal-stack.io/default": ""}})
}

pub(super) fn child(project: &str) -> Value {
    json!({"name": "mine", "projectid": project, "partitionid": "dev"})
}

#[tokio::test]
async fn a_network_is_made_read_found_changed_and_deleted() {
    let api = Api::in_partition().await;
    let made = api.put("/v1/network", super_network()).await.is(201);
    assert_eq!(made["networktype"], "super");
    assert_eq!(made["nattype"], "none");
    assert_eq!(
        made["defaultchildprefixlength"],
        json!({"IPv4": 22, "IPv6": 96})
    );
    assert_eq!(made["usage"]["available_ips"], 65_536);
    assert_eq!(made["usage"]["used_ips"], 2);
    assert_eq!(made["usage"]["available_prefixes"], 16_384);
    assert_eq!(made["usage"]["used_prefixes"], 0);
    assert_eq!(made["consumption"]["ipv4"], made["usage"]);
    assert_eq!(made["consumption"]["ipv6"]["used_ips"], 1);
    assert_eq!(made["consumption"]["ipv6"]["available_ips"], i32::MAX);
    assert_eq!(api.get("/v1/network/super").await.is(200), made);
    assert_eq!(api.get("/v1/network").await.is(200), json!([made]));
    for (query, found) in [
        (json!({"id": "super"}), true),
        (json!({"partitionid": "dev", "privatesuper": true}), true),
        (json!({"prefixes": ["10.0.0.0/16"]}), true),
        (json!({"addressfamily": "IPv6"}), true),
        (json!({"privatesuper": false}), false),
        (json!({"partitionid": "other"}), false),
        (json!({"vrf": 1}), false),
        (json!({"labels": {"a": "b"}}), false),
    ] {
        let answer = api.post("/v1/network/find", query.clone()).await.is(200);
        assert_eq!(
            answer,
            if found { json!([made]) } else { json!([]) },
            "{query}"
        );
    }

    let mut update = made.clone();
    update["name"] = json!("other");
    update["shared"] = json!(true);
    let changed = api.post("/v1/network", update).await.is(200);
    assert_eq!(changed["name"], "other");
    api.post("/v1/network", made).await.refused(409, "changed");
    let unshare = json!({"id": "super", "shared": false});
    api.post("/v1/network", unshare)
        .await
        .refused(400, "unshare");
    let less = json!({"id": "super", "additionalAnnouncableCIDRs": []});
    api.post("/v1/network", less.clone())
        .await
        .refused(400, "force");
    let changed = api.post("/v1/network?force=true", less).await.is(200);
    assert!(changed.get("additionalAnnouncableCIDRs").is_none());

    api.delete("/v1/network/super").await.is(200);
    api.get("/v1/network/super")
        .await
        .refused(404, "NotFound no network");
    api.delete("/v1/network/super")
        .await
        .refused(404, "NotFound");
    // Nothing of it is left: it can be made once more.
    api.put("/v1/network", super_network()).await.is(201);
}

#[tokio::test]
async fn children_are_made_of_the_super_network_and_given_back_to_it() {
    let api = Api::in_partition().await;
    api.post("/v1/network/allocate", child("p1"))
        .await
        .refused(404, "no private super network in partition \"dev\"");
    api.put("/v1/network", super_network()).await.is(201);
    let first = api.post("/v1/network/allocate", child("p1")).await.is(201);
    assert_eq!(first["prefixes"][0], "10.0.0.0/22");
    assert_eq!(first["prefixes"][1], "2001:db8:0:10::/96");
    assert_eq!(first["parentnetworkid"], "super");
    assert_eq!(first["projectid"], "p1");
    assert_eq!(first["networktype"], "child");
    assert_eq!(first["usage"]["used_ips"], 2);
    assert_eq!(first["usage"]["available_ips"], 1024);
    let mut only4 = child("p2");
    only4["addressfamily"] = json!("IPv4");
    only4["length"] = json!({"IPv4": 24});
    only4["shared"] = json!(true);
    let second = api.post("/v1/network/allocate", only4).await.is(201);
    assert_eq!(second["prefixes"], json!(["10.0.4.0/24"]));
    assert_eq!(second["networktype"], "child-shared");
    assert_ne!(second["vrf"], first["vrf"]);
    let parent = api.get("/v1/network/super").await.is(200);
    assert_eq!(parent["usage"]["used_prefixes"], 2);
    assert_eq!(parent["usage"]["available_prefixes"], 16_384 - 256 - 64);
    let of_p1 = api
        .post("/v1/network/find", json!({"projectid": "p1"}))
        .await
        .is(200);
    assert_eq!(of_p1, json!([first]));

    api.delete("/v1/network/super")
        .await
        .refused(422, "child networks");
    api.delete("/v1/project/p1")
        .await
        .refused(422, "it has network");
    api.delete("/v1/network/free/super")
        .await
        .refused(422, "not part of a super");
    let id = first["id"].as_str().unwrap();
    api.delete(&format!("/v1/network/free/{id}")).await.is(200);
    api.delete("/v1/project/p1").await.is(200);
    api.post("/v1/network/allocate", child("p1"))
        .await
        .refused(404, "no project");
    // The freed prefix and VRF are there again.
    let third = api.post("/v1/network/allocate", child("p2")).await.is(201);
    assert_eq!(third["prefixes"], first["prefixes"]);
    assert_eq!(third["vrf"], first["vrf"]);
    let (second, third) = (
        second["id"].as_str().unwrap(),
        third["id"].as_str().unwrap(),
    );
    api.raw(Method::POST, &format!("/v1/network/free/{second}"), "")
        .await
        .is(200);
    api.delete(&format!("/v1/network/{third}")).await.is(200);
    let parent = api.get("/v1/network/super").await.is(200);
    assert_eq!(parent["usage"]["used_prefixes"], 0);
    assert_eq!(parent["usage"]["available_prefixes"], 16_384);
    api.delete("/v1/network/super").await.is(200);
}

#[tokio::test]
async fn a_child_of_given_prefixes_takes_them_from_its_super_network() {
    let api = Api::in_partition().await;
    api.put("/v1/network", super_network()).await.is(201);
    let given = |id: &str, prefix: &str| {
        json!({"id": id, "parentnetworkid": "super", "projectid": "p1", "prefixes": [prefix],
               "destinationprefixes": []})
    };
    let made = api
        .put("/v1/network", given("a", "10.0.0.0/22"))
        .await
        .is(201);
    assert_eq!(made["partitionid"], "dev");
    assert!(made["vrf"].is_u64());
    api.put("/v1/network", given("b", "10.0.1.0/24"))
        .await
        .refused(409, "another part");
    api.put("/v1/network", given("a", "10.0.8.0/24"))
        .await
        .refused(409, "already exists");
    api.put("/v1/network", given("b", "10.1.0.0/24"))
        .await
        .refused(400, "no part of");
    let next = api.post("/v1/network/allocate", child("p2")).await.is(201);
    assert_eq!(next["prefixes"][0], "10.0.4.0/22");
}

#[tokio::test]
async fn a_full_super_network_says_so_with_numbers() {
    let api = Api::in_partition().await;
    let mut small = super_network();
    small["prefixes"] = json!(["10.0.0.0/28"]);
    small["defaultchildprefixlength"] = json!({"IPv4": 30});
    api.put("/v1/network", small).await.is(201);
    let mut prefixes = Vec::new();
    for _ in 0..4 {
        let made = api.post("/v1/network/allocate", child("p1")).await.is(201);
        prefixes.push(made["prefixes"][0].clone());
    }
    assert_eq!(
        prefixes,
        ["10.0.0.0/30", "10.0.0.4/30", "10.0.0.8/30", "10.0.0.12/30"]
    );
    api.post("/v1/network/allocate", child("p1"))
        .await
        .refused(500, "no IPv4 prefix of length 30 left, 0 of the 16");
}

#[tokio::test]
async fn networks_do_not_overlap_and_roles_and_vrfs_are_not_shared() {
    let api = Api::in_partition().await;
    api.put("/v1/network", super_network()).await.is(201);
    let mut second = super_network();
    second["id"] = json!("second");
    second["prefixes"] = json!(["10.128.0.0/16", "10.0.128.0/17"]);
    second["defaultchildprefixlength"] = json!({"IPv4": 22});
    let overlap = "10.0.128.0/17 overlaps 10.0.0.0/16 of network \"super\"";
    api.put("/v1/network", second.clone())
        .await
        .refused(409, overlap);
    second["prefixes"] = json!(["10.128.0.0/16"]);
    api.put("/v1/network", second.clone())
        .await
        .refused(409, "already has a private super");
    api.put("/v1/network", super_network())
        .await
        .refused(409, "already exists");

    api.put("/v1/network", internet()).await.is(201);
    let mut other = internet();
    other["id"] = json!("dmz");
    other["prefixes"] = json!(["198.51.100.0/24"]);
    api.put("/v1/network", other.clone())
        .await
        .refused(409, "104009 is of network \"internet\"");
    other["partitionid"] = json!("dev");
    api.put("/v1/network", other.clone())
        .await
        .refused(409, "104009 is of network \"internet\"");
    // Refused means that nothing is left of it.
    other["vrf"] = json!(104_010);
    api.put("/v1/network", other).await.is(201);
    api.delete("/v1/partition/dev")
        .await
        .refused(422, "it has network");
}

#[tokio::test]
async fn a_vrf_may_be_shared_by_those_that_say_so() {
    let api = Api::in_partition().await;
    let network = |id: &str, prefix: &str, shared: bool| {
        json!({"id": id, "partitionid": "dev", "prefixes": [prefix], "destinationprefixes": [],
               "vrf": 7, "vrfshared": shared})
    };
    api.put("/v1/network", network("a", "10.1.0.0/24", true))
        .await
        .is(201);
    api.put("/v1/network", network("b", "10.2.0.0/24", true))
        .await
        .is(201);
    api.put("/v1/network", network("c", "10.3.0.0/24", false))
        .await
        .refused(409, "vrf");
    api.delete("/v1/network/a").await.is(200);
    api.put("/v1/network", network("c", "10.3.0.0/24", false))
        .await
        .refused(409, "vrf");
    api.delete("/v1/network/b").await.is(200);
    api.put("/v1/network", network("c", "10.3.0.0/24", false))
        .await
        .is(201);
}

#[tokio::test]
async fn prefixes_are_added_and_removed_while_nothing_uses_them() {
    let api = Api::in_partition().await;
    api.put("/v1/network", internet()).await.is(201);
    let dmz = json!({"id": "dmz", "partitionid": "dev", "prefixes": ["198.51.100.0/24"],
                     "destinationprefixes": []});
    api.put("/v1/network", dmz).await.is(201);
    for (id, kept) in [("internet", "203.0.113.0/24"), ("dmz", "198.51.100.0/24")] {
        let update = |prefixes: Value| json!({"id": id, "prefixes": prefixes});
        let path = "/v1/network";
        let more = update(json!([kept, "192.0.2.0/24"]));
        let changed = api.post(path, more).await.is(200);
        assert_eq!(changed["usage"]["available_ips"], 512);
        let ip = json!({"networkid": id, "projectid": "p1"});
        let taken = api.post("/v1/ip/allocate/192.0.2.9", ip).await.is(201);
        let back = update(json!([kept]));
        api.post(path, back.clone()).await.refused(422, "in use");
        assert_eq!(taken["networkid"], id);
        api.delete("/v1/ip/free/192.0.2.9").await.is(200);
        let changed = api.post(path, back).await.is(200);
        assert_eq!(changed["usage"]["available_ips"], 256);
        let theirs = if id == "dmz" {
            "203.0.113.0/25"
        } else {
            "198.51.100.0/25"
        };
        let overlapping = update(json!([kept, theirs]));
        api.post(path, overlapping).await.refused(409, "overlaps");
        // What was refused holds no address space.
        assert_eq!(api.get(&format!("/v1/network/{id}")).await.is(200), changed);
    }
}

#[tokio::test]
async fn networks_that_make_no_sense_are_refused_and_leave_nothing() {
    let api = Api::in_partition().await;
    let with = |field: &str, value: Value| {
        let mut network = super_network();
        network[field] = value;
        network
    };
    for (network, status, part) in [
        (with("prefixes", json!([])), 400, "no prefixes given"),
        (with("prefixes", json!(["10.0.0.0"])), 400, "is no prefix"),
        (
            with("prefixes", json!(["10.0.0.1/16"])),
            400,
            "the prefix is 10.0.0.0/16",
        ),
        (
            with("prefixes", json!(["10.0.0.0/16", "10.0.0.0/24"])),
            400,
            "overlaps",
        ),
        (with("prefixes", json!(["0.0.0.0/0"])), 400, "too large"),
        (
            with("prefixes", json!(["10.0.0.0/16"])),
            400,
            "no IPv6 prefix",
        ),
        (with("nat", json!(true)), 400, "not supposed to NAT"),
        (with("underlay", json!(true)), 400, "not both"),
        (
            with("privatesuper", json!(false)),
            400,
            "private super network",
        ),
        (
            with("defaultchildprefixlength", json!({"IPv4": 16, "IPv6": 96})),
            400,
            "not greater",
        ),
        (
            with("defaultchildprefixlength", json!({"IPv4": 22})),
            400,
            "none for IPv6",
        ),
        (
            with("defaultchildprefixlength", json!({"IPx": 22})),
            400,
            "none of IPv4, IPv6",
        ),
        (with("partitionid", json!("nowhere")), 404, "no partition"),
        (with("projectid", json!("nobody")), 404, "no project"),
        (with("vrf", json!(-1)), 400, "vrf"),
        (with("vrf", json!(131_073)), 400, "1 to 131072"),
        (with("networktype", json!("child")), 400, "contradicts"),
        (with("networktype", json!("x")), 400, "none of external"),
        (
            with("nattype", json!("ipv4-masquerade")),
            400,
            "contradicts",
        ),
        (with("id", json!("find")), 400, "reserved"),
        (with("parentnetworkid", json!("nothing")), 404, "no network"),
    ] {
        api.put("/v1/network", network).await.refused(status, part);
    }
    assert_eq!(api.get("/v1/network").await.is(200), json!([]));
    for (field, part) in [
        ("projectid", "projectid should"),
        ("partitionid", "partitionid should"),
    ] {
        let mut wanted = child("p1");
        wanted[field] = json!("");
        api.post("/v1/network/allocate", wanted)
            .await
            .refused(400, part);
    }
    api.put("/v1/network", super_network()).await.is(201);
    for (field, value, status, part) in [
        ("length", json!({"IPv4": 31}), 400, "1 to 30"),
        ("length", json!({"IPv4": 16}), 400, "not greater"),
        ("addressfamily", json!("IPX"), 400, "none of IPv4"),
        ("destinationprefixes", json!(["x"]), 400, "is no prefix"),
        ("projectid", json!("nobody"), 404, "no project"),
        ("partitionid", json!("nowhere"), 404, "no partition"),
    ] {
        let mut wanted = child("p1");
        wanted[field] = value;
        api.post("/v1/network/allocate", wanted)
            .await
            .refused(status, part);
    }
    let parent = api.get("/v1/network/super").await.is(200);
    assert_eq!(parent["usage"]["used_prefixes"], 0);
}

#[tokio::test]
async fn a_new_partition_keeps_the_vrfs_of_all_global_networks() {
    let api = Api::in_partition().await;
    for i in 0..70 {
        let network = json!({"id": format!("n{i}"), "prefixes": [format!("10.{i}.0.0/16")],
                             "destinationprefixes": [], "vrf": i * 2 + 1});
        api.put("/v1/network", network).await.is(201);
    }
    let url = format!("{}/there", files().await);
    let partition = json!({"id": "new", "bootconfig": {"kernelurl": url, "imageurl": url}});
    api.put("/v1/partition", partition).await.is(201);
    let network = |id: &str, prefix: &str, vrf: u32| {
        json!({"id": id, "partitionid": "new", "prefixes": [prefix], "vrf": vrf,
               "destinationprefixes": []})
    };
    let taken = network("a", "192.0.2.0/24", 139);
    api.put("/v1/network", taken).await.refused(409, "139");
    api.put("/v1/network", network("a", "192.0.2.0/24", 140))
        .await
        .is(201);
    api.delete("/v1/network/n69").await.is(200);
    api.put("/v1/network", network("b", "198.51.100.0/24", 139))
        .await
        .is(201);
}
