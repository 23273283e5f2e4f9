//! Several nodes on one database, and a database that goes away.

use std::time::{Duration, Instant};

use futures::StreamExt;
use metal_storage::conformance::SCHEMAS;
use metal_storage::{Error, Query, Read, Revision, Scope, Sql, SqlOptions, Store, Write};
use tokio::task::JoinSet;

use crate::kit::{bounded, database, is_unavailable, key, open, options, put, record, server};
use crate::postgres::Postgres;

#[tokio::test]
async fn commits_at_the_same_time_share_a_transaction() {
    let store = open(&options(&database())).await;
    let commits = (0..200).map(|i| store.commit(put(&i.to_string())));
    for answer in bounded(futures::future::join_all(commits)).await {
        answer.unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.committed, 200);
    assert!(stats.groups < 50, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_commit_to_one_scope_at_once_try_again_and_lose_nothing() {
    const EACH: usize = 60;
    let name = database();
    let mut tasks = JoinSet::new();
    for node in 0..3 {
        let store = open(&options(&name)).await;
        tasks.spawn(async move {
            let mut made = Vec::new();
            for i in 0..EACH {
                made.push(
                    store
                        .commit(put(&format!("{node}-{i}")))
                        .await
                        .unwrap()
                        .get(),
                );
            }
            (made, store.stats().retries)
        });
    }
    let (mut made, mut retries) = (Vec::new(), 0);
    for (revisions, again) in bounded(tasks.join_all()).await {
        made.extend(revisions);
        retries += again;
    }
    made.sort_unstable();
    assert_eq!(made, (1..=3 * EACH as u64).collect::<Vec<_>>());
    assert!(retries > 0, "they came between each other");
}

#[tokio::test]
async fn a_watcher_is_woken_by_what_another_node_commits() {
    let name = database();
    let mut patient = options(&name);
    patient.poll = Duration::from_secs(3600);
    let (one, two) = (open(&patient).await, open(&options(&name)).await);
    let mut stream = one.watch(Scope::Global, Revision::ZERO);
    assert!(futures::poll!(stream.next()).is_pending());
    let listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let begun = Instant::now();
    while server().sql(&name, listens) != "2" {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for i in 1..=3 {
        let made = two.commit(put(&i.to_string())).await.unwrap();
        let seen = bounded(stream.next()).await.unwrap().unwrap();
        assert_eq!(seen.revision, made);
    }
}

#[tokio::test]
async fn a_watcher_finds_what_it_was_not_told() {
    let name = database();
    let mut deaf = options(&name);
    deaf.poll = Duration::from_millis(100);
    let (one, two) = (open(&deaf).await, open(&options(&name)).await);
    let mut stream = one.watch(Scope::Global, Revision::ZERO);
    for i in 1..=3 {
        let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
        server().sql(&name, ends);
        two.commit(put(&i.to_string())).await.unwrap();
        let seen = bounded(stream.next()).await.unwrap().unwrap();
        assert_eq!(seen.revision.get(), i);
    }
}

#[tokio::test]
async fn a_watcher_is_told_when_the_store_closes() {
    let store = open(&options(&database())).await;
    store.commit(put("a")).await.unwrap();
    let mut stream = store.watch(Scope::Global, Revision::new(1));
    assert!(futures::poll!(stream.next()).is_pending());
    store.close().await;
    let told = bounded(stream.next()).await;
    assert!(
        matches!(told, Some(Err(Error::Unavailable { .. }))),
        "{told:?}"
    );
    assert!(is_unavailable(&store.commit(put("b")).await));
    assert!(is_unavailable(&store.get(&key("a"), Read::Latest).await));
}

#[tokio::test]
async fn a_batch_that_the_database_refuses_does_not_spoil_those_beside_it() {
    let name = database();
    let store = open(&options(&name)).await;
    server().sql(&name, "ALTER TABLE other ADD CHECK (id <> 'bad')");
    let ids = ["a", "b", "bad", "c"];
    let commits = ids.iter().map(|id| store.commit(put(id)));
    let answers = bounded(futures::future::join_all(commits)).await;
    for (id, answer) in ids.iter().zip(&answers) {
        assert_eq!(answer.is_ok(), *id != "bad", "{answer:?}");
        assert_eq!(
            store.get(&key(id), Read::Latest).await.unwrap().is_some(),
            *id != "bad"
        );
    }
    assert!(matches!(answers[2], Err(Error::Invalid(_))), "{answers:?}");
}

#[tokio::test]
async fn what_is_no_record_of_the_table_is_refused_before_it_is_sent() {
    let store = open(&options(&database())).await;
    let mut fewer = record("a", "a");
    fewer.fields.pop();
    let mut other_kind = record("a", "a");
    other_kind.fields[0].value = 1.into();
    let mut not_unique = record("a", "a");
    not_unique.fields[0].unique = false;
    let mut no_json = record("a", "a");
    no_json.doc = "{".into();
    let mut no_text = record("a", "a");
    no_text.doc = r#""\ud800""#.into();
    for record in [fewer, other_kind, not_unique, no_json, no_text] {
        let mut batch = put("b");
        batch.writes.push(Write::Put(record));
        let answer = store.commit(batch).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    let mut unknown = Query::new(Scope::Global, "nothing".try_into().unwrap());
    unknown.limit = 1;
    let answer = store.list(&unknown, Read::Latest).await;
    assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    assert_eq!(store.stats().groups, 0);
}

#[tokio::test]
async fn operators_find_columns_where_they_expect_them() {
    let name = database();
    let store = open(&options(&name)).await;
    store.commit(put("a")).await.unwrap();
    let row = "SELECT scope, id, version, name, \"group\", doc FROM other";
    assert_eq!(server().sql(&name, row), "global|a|1|a|1|{}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_a_killed_server_and_the_store_recovers_by_itself() {
    const KILLS: usize = 3;
    let mut server = Postgres::start();
    let url = server.create_database("killed");
    let mut options = SqlOptions::new(&url).unwrap();
    options.connect_wait = Duration::from_secs(1);
    let store = std::sync::Arc::new(Sql::connect(options, SCHEMAS).await.unwrap());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let (store, stopped) = (std::sync::Arc::clone(&store), stopped.clone());
        clients.spawn(async move {
            let (mut sure, mut perhaps, mut refused) = (Vec::new(), Vec::new(), Vec::new());
            for i in 0.. {
                if *stopped.borrow() {
                    break;
                }
                let id = format!("{client}-{i}");
                match store.commit(put(&id)).await {
                    Ok(_) => sure.push(id),
                    Err(Error::Unknown(_)) => perhaps.push(id),
                    Err(Error::Unavailable { .. }) => {
                        refused.push(id);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            (sure, perhaps, refused)
        });
    }
    for _ in 0..KILLS {
        let before = store.stats().committed;
        let begun = Instant::now();
        while store.stats().committed < before + 50 {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{:?}",
                store.stats()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.signal("KILL");
        server.run();
    }
    bounded(async { while store.commit(put("last")).await.is_err() {} }).await;
    stop.send_replace(true);
    let (mut sure, mut perhaps) = (1, 0);
    for (acknowledged, unknown, refused) in bounded(clients.join_all()).await {
        for id in &acknowledged {
            let found = store.get(&key(id), Read::Latest).await.unwrap();
            assert!(found.is_some(), "{id} was acknowledged");
        }
        for id in &refused {
            let found = store.get(&key(id), Read::Latest).await.unwrap();
            assert!(found.is_none(), "{id} was refused");
        }
        sure += acknowledged.len();
        perhaps += unknown.len();
    }
    let query = Query::new(Scope::Global, "other".try_into().unwrap());
    let head = store
        .list(&query, Read::Latest)
        .await
        .unwrap()
        .revision
        .get();
    let made = sure as u64..=(sure + perhaps) as u64;
    assert!(made.contains(&head), "{head} revisions, {made:?} commits");
}
