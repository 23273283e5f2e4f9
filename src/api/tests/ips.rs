use std::collections::BTreeSet;

use super::networks::{child, internet};
use super::*;

fn any(network: &str) -> Value {
    json!({"networkid": network, "projectid": "p1", "type": "ephemeral"})
}

/// A network of partition `dev` with six addresses, and the one of all partitions.
async fn api() -> Api {
    let api = Api::in_partition().await;
    let dmz = json!({"id": "dmz", "partitionid": "dev", "destinationprefixes": [],
                     "prefixes": ["198.51.100.0/29", "2001:db8::/64"]});
    api.put("/v1/network", dmz).await.is(201);
    api.put("/v1/network", internet()).await.is(201);
    api
}

#[tokio::test]
async fn an_address_is_handed_out_read_found_changed_and_freed() {
    let api = api().await;
    for (network, first) in [("dmz", "198.51.100.1"), ("internet", "203.0.113.1")] {
        let mut wanted = any(network);
        wanted["name"] = json!("mine");
        wanted["tags"] = json!(["a=b"]);
        let made = api.post("/v1/ip/allocate", wanted).await.is(201);
        assert_eq!(made["ipaddress"], first);
        assert_eq!(made["networkid"], network);
        assert_eq!(made["type"], "ephemeral");
        assert_eq!(made["tags"], json!(["a=b"]));
        assert_eq!(api.get(&format!("/v1/ip/{first}")).await.is(200), made);
        assert_eq!(api.get("/v1/ip").await.is(200), json!([made]));
        let used = api.get(&format!("/v1/network/{network}")).await.is(200);
        assert_eq!(used["usage"]["used_ips"], 3);
        let uuid = made["allocationuuid"].clone();
        for (query, found) in [
            (json!({"ipaddress": first}), true),
            (json!({"networkid": network, "projectid": "p1"}), true),
            (
                json!({"tags": ["a=b"], "name": "mine", "type": "ephemeral"}),
                true,
            ),
            (
                json!({"allocationuuid": uuid, "addressfamily": "IPv4"}),
                true,
            ),
            (json!({"projectid": "p2"}), false),
            (json!({"addressfamily": "IPv6"}), false),
            (json!({"machineid": "m1"}), false),
        ] {
            let answer = api.post("/v1/ip/find", query.clone()).await.is(200);
            assert_eq!(
                answer,
                if found { json!([made]) } else { json!([]) },
                "{query}"
            );
        }
        let update = json!({"ipaddress": first, "type": "static", "description": "d"});
        let changed = api.post("/v1/ip", update).await.is(200);
        assert_eq!(changed["type"], "static");
        assert_eq!(changed["name"], "mine");
        let back = json!({"ipaddress": first, "type": "ephemeral"});
        api.post("/v1/ip", back)
            .await
            .refused(400, "static to ephemeral");
        api.post("/v1/ip", made).await.refused(409, "changed since");
        api.delete(&format!("/v1/network/{network}"))
            .await
            .refused(422, "ips in use");
        api.delete(&format!("/v1/ip/free/{first}")).await.is(200);
        api.get(&format!("/v1/ip/{first}"))
            .await
            .refused(404, "NotFound no ip");
        api.delete(&format!("/v1/ip/free/{first}"))
            .await
            .refused(404, "NotFound no ip");
        let used = api.get(&format!("/v1/network/{network}")).await.is(200);
        assert_eq!(used["usage"]["used_ips"], 2);
    }
    api.delete("/v1/network/dmz").await.is(200);
    api.delete("/v1/network/internet").await.is(200);
    api.put("/v1/network", internet()).await.is(201);
}

#[tokio::test]
async fn a_specific_address_is_handed_out_once_and_never_if_it_is_nobodys() {
    let api = api().await;
    for (network, prefix) in [("dmz", "198.51.100"), ("internet", "203.0.113")] {
        let at = |last: u8| format!("/v1/ip/allocate/{prefix}.{last}");
        let made = api.post(&at(5), any(network)).await.is(201);
        assert_eq!(made["ipaddress"], format!("{prefix}.5"));
        api.post(&at(5), any(network))
            .await
            .refused(409, "Conflict ip already allocated");
        api.post(&at(0), any(network))
            .await
            .refused(422, "the network's own address");
        let last = if network == "dmz" { 7 } else { 255 };
        api.post(&at(last), any(network))
            .await
            .refused(422, "the broadcast address");
        api.post("/v1/ip/allocate/192.0.2.1", any(network))
            .await
            .refused(422, "not contained in any");
        api.post("/v1/ip/allocate/x", any(network))
            .await
            .refused(400, "is no IP address");
        api.delete(&format!("/v1/ip/free/{prefix}.5")).await.is(200);
        api.post(&at(5), any(network)).await.is(201);
    }
    let six = api
        .post("/v1/ip/allocate/2001:db8::9", any("dmz"))
        .await
        .is(201);
    assert_eq!(six["ipaddress"], "2001:db8::9");
    assert_eq!(api.get("/v1/ip/2001:db8:0:0:0::9").await.is(200), six);
}

#[tokio::test]
async fn every_address_is_handed_out_once_until_there_are_none() {
    let api = api().await;
    for (network, count, none) in [("dmz", 6, "0 of the 8"), ("internet", 254, "of the 254")] {
        let mut seen = BTreeSet::new();
        for _ in 0..count {
            let made = api.post("/v1/ip/allocate", any(network)).await.is(201);
            assert!(seen.insert(made["ipaddress"].to_string()), "{made}");
        }
        let full = api.post("/v1/ip/allocate", any(network)).await;
        full.refused(500, "Internal cannot allocate free ip in ipam, no ips left");
        api.post("/v1/ip/allocate", any(network))
            .await
            .refused(500, none);
        let used = api.get(&format!("/v1/network/{network}")).await.is(200);
        assert_eq!(used["usage"]["used_ips"], used["usage"]["available_ips"]);
    }
    let mut six = any("dmz");
    six["addressfamily"] = json!("IPv6");
    let made = api.post("/v1/ip/allocate", six.clone()).await.is(201);
    assert_eq!(made["ipaddress"], "2001:db8::1");
    six["networkid"] = json!("internet");
    api.post("/v1/ip/allocate", six)
        .await
        .refused(400, "no prefix for the given");
}

#[tokio::test]
async fn requests_at_once_never_get_the_same_address() {
    let api = api().await;
    for network in ["dmz", "internet"] {
        let requests = (0..40).map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.post("/v1/ip/allocate", any(network)).await })
        });
        let mut seen = BTreeSet::new();
        for request in requests.collect::<Vec<_>>() {
            let answer = request.await.unwrap();
            if answer.status == StatusCode::CREATED {
                assert!(seen.insert(answer.body["ipaddress"].to_string()));
            } else {
                answer.refused(500, "no ips left");
            }
        }
        assert_eq!(seen.len(), if network == "dmz" { 6 } else { 40 });
        let listed = api
            .post("/v1/ip/find", json!({"networkid": network}))
            .await
            .is(200);
        assert_eq!(listed.as_array().unwrap().len(), seen.len());
    }
}

#[tokio::test]
async fn a_network_of_a_project_is_for_that_project_alone_unless_it_is_shared() {
    let api = api().await;
    let parent = json!({"id": "super", "partitionid": "dev", "prefixes": ["10.0.0.0/16"],
                        "destinationprefixes": [], "privatesuper": true,
                        "defaultchildprefixlength": {"IPv4": 22}});
    api.put("/v1/network", parent).await.is(201);
    api.post("/v1/ip/allocate", any("super"))
        .await
        .refused(422, "is a super network");
    let made = api.post("/v1/network/allocate", child("p2")).await.is(201);
    let id = made["id"].as_str().unwrap();
    api.post("/v1/ip/allocate", any(id))
        .await
        .refused(400, "not shared");
    let share = json!({"id": id, "shared": true});
    api.post("/v1/network", share).await.is(200);
    let ip = api.post("/v1/ip/allocate", any(id)).await.is(201);
    assert_eq!(ip["ipaddress"], "10.0.0.1");
    api.delete(&format!("/v1/network/free/{id}"))
        .await
        .refused(422, "10.0.0.1");
    api.delete("/v1/project/p1")
        .await
        .refused(422, "it has ip 10.0.0.1");
    api.delete("/v1/ip/free/10.0.0.1").await.is(200);
    api.delete(&format!("/v1/network/free/{id}")).await.is(200);
}

#[tokio::test]
async fn an_address_of_a_machine_is_not_freed() {
    let api = api().await;
    let mut wanted = any("dmz");
    wanted["machineid"] = json!("m1");
    let made = api.post("/v1/ip/allocate", wanted).await.is(201);
    assert_eq!(made["tags"], json!(["machine.metal-stack.io/id=m1"]));
    let found = api
        .post("/v1/ip/find", json!({"machineid": "m1"}))
        .await
        .is(200);
    assert_eq!(found, json!([made]));
    api.delete("/v1/ip/free/198.51.100.1")
        .await
        .refused(400, "in use by machine m1");
    let untie = json!({"ipaddress": "198.51.100.1", "tags": []});
    api.post("/v1/ip", untie).await.is(200);
    api.delete("/v1/ip/free/198.51.100.1").await.is(200);
}

#[tokio::test]
async fn a_project_has_no_more_addresses_than_its_quota() {
    let api = api().await;
    let project = json!({"meta": {"id": "p3"}, "name": "p3", "tenant_id": "t",
                         "quotas": {"ip": {"quota": 3}}});
    api.put("/v1/project", project).await.is(201);
    let mut wanted = any("internet");
    wanted["projectid"] = json!("p3");
    let requests = (0..8).map(|_| {
        let (api, wanted) = (api.clone(), wanted.clone());
        tokio::spawn(async move { api.post("/v1/ip/allocate", wanted).await })
    });
    let mut made = 0;
    for request in requests.collect::<Vec<_>>() {
        match request.await.unwrap() {
            answer if answer.status == StatusCode::CREATED => made += 1,
            answer => answer.refused(422, "ip quota of project \"p3\" reached"),
        }
    }
    assert_eq!(made, 3);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_and_leave_nothing() {
    let api = api().await;
    for (field, value, status, part) in [
        ("networkid", json!(""), 400, "networkid should not be empty"),
        (
            "projectid",
            json!(null),
            400,
            "projectid should not be empty",
        ),
        ("networkid", json!("nothing"), 404, "no network"),
        ("projectid", json!("nobody"), 404, "no project"),
        ("type", json!("eternal"), 400, "none of ephemeral, static"),
        ("addressfamily", json!("IPX"), 400, "none of IPv4, IPv6"),
        ("name", json!("a\nb"), 400, "control characters"),
        ("tags", json!(["x".repeat(5000)]), 400, "tags[0]"),
    ] {
        let mut wanted = any("dmz");
        wanted[field] = value;
        api.post("/v1/ip/allocate", wanted)
            .await
            .refused(status, part);
    }
    let mut both = any("dmz");
    both["addressfamily"] = json!("IPv4");
    api.post("/v1/ip/allocate/198.51.100.2", both)
        .await
        .refused(400, "addressfamily");
    api.post("/v1/ip", json!({"ipaddress": "x"}))
        .await
        .refused(400, "is no IP address");
    api.post("/v1/ip", json!({"ipaddress": "198.51.100.2"}))
        .await
        .refused(404, "no ip");
    api.get("/v1/ip/x").await.refused(404, "no ip");
    assert_eq!(api.get("/v1/ip").await.is(200), json!([]));
}
