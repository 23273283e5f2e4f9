//! Crashes in the midst of what takes several commits.

use std::sync::atomic::{AtomicI64, Ordering};

use super::mortal::{Life, Mortal};
use super::networks::internet;
use super::*;
use chrono::TimeDelta;

/// The two stores of a partition, which outlive its processes.
#[derive(Default)]
struct Disks {
    global: Arc<Memory>,
    local: Arc<Memory>,
}

// === impl Disks ===

impl Disks {
    fn process(&self, commits: i64, last_happens: bool) -> (Api, Life) {
        let life: Life = Arc::new(AtomicI64::new(commits));
        let store = |store: &Arc<Memory>| Arc::new(Mortal::new(store, &life, last_happens));
        (Api::on_both(store(&self.global), store(&self.local)), life)
    }

    fn immortal(&self) -> Api {
        self.process(i64::MAX, false).0
    }

    /// What a node does when it starts; then all must agree.
    async fn recover(&self, after: &str) {
        let (global, local) = (Arc::clone(&self.global), Arc::clone(&self.local));
        let (space, _) = Space::new(global, local, "dev").unwrap();
        space.mend(TimeDelta::zero()).await.unwrap();
        let found = space.fsck().await.unwrap();
        assert!(found.is_empty(), "after {after}: {found:#?}");
    }
}

/// Requests, in an order in which they succeed.
fn steps() -> Vec<(Method, &'static str, Value)> {
    let parent = json!({"id": "super", "partitionid": "dev", "prefixes": ["10.0.0.0/16"],
                        "destinationprefixes": [], "privatesuper": true,
                        "defaultchildprefixlength": {"IPv4": 22}});
    let dmz = json!({"id": "dmz", "partitionid": "dev", "destinationprefixes": [],
                     "prefixes": ["198.51.100.0/29"], "vrf": 7});
    let child = json!({"id": "child", "parentnetworkid": "super", "projectid": "p1",
                       "prefixes": ["10.0.8.0/22"], "destinationprefixes": []});
    let ip = |network: &str| json!({"networkid": network, "projectid": "p1"});
    vec![
        (Method::PUT, "/v1/network", internet()),
        (Method::PUT, "/v1/network", parent),
        (Method::PUT, "/v1/network", dmz),
        (Method::PUT, "/v1/network", child),
        (Method::POST, "/v1/ip/allocate", ip("internet")),
        (Method::POST, "/v1/ip/allocate/203.0.113.99", ip("internet")),
        (Method::POST, "/v1/ip/allocate/198.51.100.3", ip("dmz")),
        (Method::POST, "/v1/ip/allocate/10.0.8.9", ip("child")),
        (
            Method::POST,
            "/v1/network",
            json!({"id": "dmz", "prefixes": ["198.51.100.0/29", "192.0.2.0/25"]}),
        ),
        (
            Method::POST,
            "/v1/network",
            json!({"id": "dmz", "prefixes": ["198.51.100.0/29"]}),
        ),
        (
            Method::POST,
            "/v1/network",
            json!({"id": "internet", "prefixes": ["203.0.113.0/24", "192.0.2.0/25"]}),
        ),
        (Method::POST, "/v1/ip/allocate/192.0.2.9", ip("internet")),
        (Method::DELETE, "/v1/ip/free/192.0.2.9", Value::Null),
        (
            Method::POST,
            "/v1/network",
            json!({"id": "internet", "prefixes": ["203.0.113.0/24"]}),
        ),
        (Method::DELETE, "/v1/ip/free/203.0.113.99", Value::Null),
        (Method::DELETE, "/v1/ip/free/203.0.113.1", Value::Null),
        (Method::DELETE, "/v1/ip/free/198.51.100.3", Value::Null),
        (Method::DELETE, "/v1/ip/free/10.0.8.9", Value::Null),
        (Method::DELETE, "/v1/network/free/child", Value::Null),
        (Method::DELETE, "/v1/project/p1", Value::Null),
        (Method::DELETE, "/v1/network/super", Value::Null),
        (Method::DELETE, "/v1/network/dmz", Value::Null),
        (Method::DELETE, "/v1/network/internet", Value::Null),
    ]
}

#[tokio::test]
async fn a_crash_at_any_commit_leaves_the_result_or_nothing() {
    let steps = steps();
    for last_happens in [false, true] {
        let mut commits = vec![0; steps.len()];
        loop {
            // Every step with a crash at the next of its commits, then once more without.
            let disks = Disks::default();
            disks.immortal().furnish().await;
            let mut crashed = false;
            for ((method, path, body), commits) in steps.iter().zip(&mut commits) {
                let body = match body {
                    Value::Null => String::new(),
                    body => body.to_string(),
                };
                let (api, life) = disks.process(*commits, last_happens);
                let answer = api.raw(method.clone(), path, body.clone()).await;
                let dead = life.load(Ordering::SeqCst) < 0;
                let after = format!("{method} {path} {body}, {commits} commits, {last_happens}");
                if dead {
                    crashed = true;
                    *commits += 1;
                    disks.recover(&after).await;
                    let found = json!({"networkid": "internet"});
                    let found = disks.immortal().post("/v1/ip/find", found).await.is(200);
                    if path.ends_with("/allocate") && found != json!([]) {
                        // Asked once more, another one would be handed out.
                        assert!(last_happens, "{after}");
                        continue;
                    }
                    let again = disks.immortal().raw(method.clone(), path, body).await;
                    let happened = [409, 404].contains(&again.status.as_u16());
                    assert!(again.status.is_success() || happened, "{after}: {again:?}");
                    disks.recover(&format!("{after}, and again")).await;
                } else {
                    assert!(answer.status.is_success(), "{after}: {answer:?}");
                }
            }
            disks.recover("everything").await;
            if !crashed {
                break;
            }
        }
        assert!(commits.iter().all(|commits| *commits > 0), "{commits:?}");
    }
}
