use metal_storage::{Error, Etcd, EtcdOptions, Read, Store};

use crate::cluster::{Cluster, Disk, Place, require_etcd};
use crate::contents::{batch, put};

#[tokio::test]
async fn an_etcd_that_permits_less_is_named_and_smaller_commits_go_on() {
    require_etcd();
    let small = ["--max-request-bytes", "65536"];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &small);
    let store = Etcd::connect(cluster.options(), &[]).await.unwrap();
    let error = store.commit(batch([put("a", 100_000)])).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("--max-request-bytes"), "{error}");
    let revision = store.commit(batch([put("a", 10_000)])).await.unwrap();
    assert_eq!(revision.get(), 1);
}

#[tokio::test]
async fn a_full_etcd_refuses_commits_answers_reads_and_goes_on_when_there_is_space() {
    require_etcd();
    let small = ["--quota-backend-bytes", "8388608"];
    let cluster = Cluster::start_at(Disk::Careless, vec![Place::local()], &small);
    let store = Etcd::connect(cluster.options(), &[]).await.unwrap();
    let mut done = 0;
    let error = loop {
        match store.commit(batch([put("a", 200_000)])).await {
            Ok(revision) => done = revision.get(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("space"), "{error}");
    let Some(batch_a) = Some(batch([put("a", 1)])) else {
        return;
    };
    let found = store
        .get(batch_a.writes[0].key(), Read::Latest)
        .await
        .unwrap();
    assert_eq!(found.unwrap().version.get(), done, "refused means not done");
    let status = cluster.ctl(&["endpoint", "status", "-w", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let newest = status[0]["Status"]["header"]["revision"].to_string();
    cluster.ctl(&["compact", &newest]);
    cluster.ctl(&["defrag"]);
    cluster.ctl(&["alarm", "disarm"]);
    let revision = store.commit(batch_a).await.unwrap();
    assert_eq!(revision.get(), done + 1);
}

#[tokio::test]
async fn a_scope_over_its_bound_refuses_more_and_permits_deletion() {
    let options = EtcdOptions {
        scope_bytes: 1_000,
        ..crate::suite::fresh_options()
    };
    let store = Etcd::connect(options, &[]).await.unwrap();
    store.commit(batch([put("a", 900)])).await.unwrap();
    let error = store.commit(batch([put("b", 900)])).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let key = put("a", 1).key().clone();
    store
        .commit(batch([metal_storage::Write::Delete(key)]))
        .await
        .unwrap();
    store.commit(batch([put("b", 900)])).await.unwrap();
}
