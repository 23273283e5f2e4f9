//! Requests at once that must not both succeed.

use super::networks::{child, internet};
use super::*;

/// Networks `dmz` and `internet` and a super network, in partition `dev`; and what checks it all.
async fn api() -> (Api, Space) {
    let store: Arc<dyn Store> = Arc::new(Interleaved::default());
    let space = Space::new(Arc::clone(&store), Arc::clone(&store), "dev")
        .unwrap()
        .0;
    let api = Api::of(store, space.clone(), BTreeMap::new(), Fleet::default());
    api.furnish().await;
    let dmz = json!({"id": "dmz", "partitionid": "dev", "destinationprefixes": [],
                     "prefixes": ["198.51.100.0/24"]});
    let parent = json!({"id": "super", "partitionid": "dev", "prefixes": ["10.0.0.0/16"],
                        "destinationprefixes": [], "privatesuper": true,
                        "defaultchildprefixlength": {"IPv4": 22}});
    for network in [dmz, parent, internet()] {
        api.put("/v1/network", network).await.is(201);
    }
    (api, space)
}

fn ip(network: &str) -> Value {
    json!({"networkid": network, "projectid": "p1"})
}

/// Sends them at once, those that delete so many turns ahead of the others; the statuses, in this
/// order.
async fn at_once(api: &Api, requests: &[(Method, &str, Value)], ahead: usize) -> Vec<u16> {
    let sent: Vec<_> = requests
        .iter()
        .cloned()
        .map(|(method, path, body)| {
            let (api, path) = (api.clone(), path.to_owned());
            let body = match body {
                Value::Null => String::new(),
                body => body.to_string(),
            };
            tokio::spawn(async move {
                for _ in 0..if method == Method::DELETE { 0 } else { ahead } {
                    tokio::task::yield_now().await;
                }
                api.raw(method, &path, body).await.status.as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for sent in sent {
        statuses.push(sent.await.unwrap());
    }
    statuses
}

#[tokio::test]
async fn an_address_is_freed_or_used_by_a_machine_and_never_both() {
    let (api, space) = api().await;
    for round in 0..20 {
        let made = api.post("/v1/ip/allocate", ip("dmz")).await.is(201);
        let address = made["ipaddress"].as_str().unwrap();
        let tag = format!("machine.metal-stack.io/id=m{round}");
        let free = (
            Method::DELETE,
            &*format!("/v1/ip/free/{address}"),
            Value::Null,
        );
        let used = (
            Method::POST,
            "/v1/ip",
            json!({"ipaddress": address, "tags": [tag]}),
        );
        let requests = if round % 2 == 0 {
            [free, used]
        } else {
            [used, free]
        };
        let mut statuses = at_once(&api, &requests, round * 4).await;
        if round % 2 == 1 {
            statuses.reverse();
        }
        match statuses[..] {
            [200, 404 | 409] => api
                .get(&format!("/v1/ip/{address}"))
                .await
                .refused(404, "no ip"),
            [400, 200] => {
                api.get(&format!("/v1/ip/{address}")).await.is(200);
            }
            _ => panic!("{statuses:?}"),
        }
    }
    assert_eq!(space.fsck().await.unwrap(), []);
}

#[tokio::test]
async fn no_address_and_no_child_is_left_in_a_deleted_network() {
    let (api, space) = api().await;
    let mut deleted = 0;
    for round in 0..40 {
        for id in ["dmz", "internet", "super"] {
            let made = match id {
                "super" => (Method::POST, "/v1/network/allocate", child("p1")),
                _ => (Method::POST, "/v1/ip/allocate", ip(id)),
            };
            let path = format!("/v1/network/{id}");
            let mut requests = vec![made; 4];
            requests.insert(round % 5, (Method::DELETE, &*path, Value::Null));
            let mut statuses = at_once(&api, &requests, round * 4).await;
            let deletion = statuses.remove(round % 5);
            let network = api.get(&path).await;
            assert_eq!(network.status == 404, deletion == 200, "{id}: {statuses:?}");
            if deletion == 200 {
                deleted += 1;
                assert!(!statuses.contains(&201), "{id}: {statuses:?}");
            }
            assert_eq!(
                space.fsck().await.unwrap(),
                [],
                "{id}: {deletion}, {statuses:?}"
            );
        }
        // Everything anew.
        for ip in api.get("/v1/ip").await.is(200).as_array().unwrap() {
            let address = ip["ipaddress"].as_str().unwrap();
            api.delete(&format!("/v1/ip/free/{address}")).await.is(200);
        }
        let found = api
            .post("/v1/network/find", json!({"parentnetworkid": "super"}))
            .await;
        for child in found.is(200).as_array().unwrap() {
            let id = child["id"].as_str().unwrap();
            api.delete(&format!("/v1/network/free/{id}")).await.is(200);
        }
        for network in [
            json!({"id": "dmz", "partitionid": "dev", "destinationprefixes": [],
                   "prefixes": ["198.51.100.0/24"]}),
            json!({"id": "super", "partitionid": "dev", "prefixes": ["10.0.0.0/16"],
                   "destinationprefixes": [], "privatesuper": true,
                   "defaultchildprefixlength": {"IPv4": 22}}),
            internet(),
        ] {
            let status = api.put("/v1/network", network).await.status;
            assert!([201, 409].contains(&status.as_u16()), "{status}");
        }
    }
    assert!(deleted > 0, "no deletion was first");
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_project() {
    let (api, space) = api().await;
    let mut deleted = 0;
    for round in 0..40 {
        let project = json!({"meta": {"id": "p9"}, "name": "p9", "tenant_id": "t"});
        let status = api.put("/v1/project", project).await.status;
        assert!([201, 409].contains(&status.as_u16()), "{status}");
        let of_p9 = |mut body: Value| {
            body["projectid"] = json!("p9");
            body
        };
        let mut requests = vec![
            (Method::POST, "/v1/ip/allocate", of_p9(ip("dmz"))),
            (Method::POST, "/v1/ip/allocate", of_p9(ip("internet"))),
            (Method::POST, "/v1/network/allocate", child("p9")),
        ];
        requests.insert(round % 4, (Method::DELETE, "/v1/project/p9", Value::Null));
        let mut statuses = at_once(&api, &requests, round * 4).await;
        let deletion = statuses.remove(round % 4);
        if deletion == 200 {
            deleted += 1;
            assert!(!statuses.contains(&201), "{statuses:?}");
        }
        assert_eq!(space.fsck().await.unwrap(), [], "{deletion}, {statuses:?}");
        for ip in api.get("/v1/ip").await.is(200).as_array().unwrap() {
            let address = ip["ipaddress"].as_str().unwrap();
            api.delete(&format!("/v1/ip/free/{address}")).await.is(200);
        }
        let found = api
            .post("/v1/network/find", json!({"projectid": "p9"}))
            .await;
        for child in found.is(200).as_array().unwrap() {
            let id = child["id"].as_str().unwrap();
            api.delete(&format!("/v1/network/free/{id}")).await.is(200);
        }
    }
    assert!(deleted > 0, "no deletion was first");
}
