//! Many at once.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Backend;
use super::kit::*;
use crate::{Batch, Error, Guard, Read, Result, Revision, Scope, Store, Write};

const WRITERS: usize = 16;

/// Commits all at once; gives the answers in the same order.
async fn race(store: &Arc<dyn Store>, batches: Vec<Batch>) -> Vec<Result<Revision>> {
    let mut tasks = JoinSet::new();
    let start = Arc::new(tokio::sync::Barrier::new(batches.len()));
    for (i, batch) in batches.into_iter().enumerate() {
        let (store, start) = (Arc::clone(store), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            (i, store.commit(batch).await)
        });
    }
    let mut answers = bounded(tasks.join_all()).await;
    answers.sort_by_key(|(i, _)| *i);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn one_wins(answers: &[Result<Revision>], loses: impl Fn(&Error) -> bool) -> usize {
    let winners: Vec<_> = (0..answers.len()).filter(|i| answers[*i].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(loses(error), "{error:?}");
    }
    winners[0]
}

pub async fn of_writers_with_one_version_exactly_one_wins(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut version = store.commit(put(plain(key("r"), "start"))).await.unwrap();
    for round in 0..20 {
        let value = |i: usize| format!("{round}/{i}");
        let batches =
            (0..WRITERS).map(|i| at(put(plain(key("r"), &value(i))), key("r"), version.into()));
        let answers = race(&store, batches.collect()).await;
        let winner = one_wins(&answers, |error| *error == Error::Conflict(key("r")));
        version = answers[winner].clone().unwrap();
        let now = get(&store, &key("r")).await.unwrap();
        assert_eq!(text(&now), value(winner));
        assert_eq!(version.get(), round + 2);
    }
}

pub async fn of_takers_of_one_unique_value_exactly_one_wins(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for round in 0..10 {
        let name = format!("n{round}");
        let batches = (0..WRITERS).map(|i| put(thing(&format!("{round}-{i}"), &name, 1)));
        let answers = race(&store, batches.collect()).await;
        let winner = one_wins(&answers, |error| matches!(error, Error::Taken(_)));
        assert!(
            get(&store, &key(&format!("{round}-{winner}")))
                .await
                .is_some()
        );
    }
    assert_eq!(ids(&store, &query()).await.len(), 10);
}

pub async fn of_inserters_of_one_id_exactly_one_wins(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for round in 0..10 {
        let id = key(&round.to_string());
        let batches =
            (0..WRITERS).map(|i| absent(put(plain(id.clone(), &i.to_string())), id.clone()));
        let answers = race(&store, batches.collect()).await;
        let winner = one_wins(&answers, |error| *error == Error::Conflict(id.clone()));
        assert_eq!(text(&get(&store, &id).await.unwrap()), winner.to_string());
    }
}

pub async fn money_moved_between_accounts_is_neither_made_nor_lost(backend: &dyn Backend) {
    const ACCOUNTS: usize = 4;
    const MOVES: usize = 30;
    let store = backend.fresh(HISTORY).await;
    let account = |i: usize| key(&format!("account{i}"));
    store
        .commit(puts((0..ACCOUNTS).map(|i| plain(account(i), "100"))))
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut moved = 0;
            for attempt in 0_usize.. {
                if moved == MOVES {
                    break;
                }
                let from = (task + attempt) % ACCOUNTS;
                let to = (from + 1 + task % (ACCOUNTS - 1)) % ACCOUNTS;
                let mut batch = Batch::new(Scope::Global);
                for (i, sign) in [(from, -1), (to, 1)] {
                    let found = get(&store, &account(i)).await.unwrap();
                    let money: i64 = text(&found).parse().unwrap();
                    batch.guards.push(Guard::Version(account(i), found.version));
                    let record = plain(account(i), &(money + sign).to_string());
                    batch.writes.push(Write::Put(record));
                }
                match store.commit(batch).await {
                    Ok(_) => moved += 1,
                    Err(Error::Conflict(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
    }
    bounded(tasks.join_all()).await;
    let page = store.list(&query(), Read::Latest).await.unwrap();
    let total: i64 = page
        .records
        .iter()
        .map(|r| text(r).parse::<i64>().unwrap())
        .sum();
    assert_eq!(total, 100 * ACCOUNTS as i64);
    assert_eq!(page.revision.get(), 1 + 8 * MOVES as u64);
}

pub async fn a_watcher_during_writes_misses_nothing(backend: &dyn Backend) {
    const EACH: usize = 40;
    let store = backend.fresh(HISTORY).await;
    let total = WRITERS * EACH;
    let mut watchers = JoinSet::new();
    for since in [0, 0, 5] {
        let mut stream = store.watch(Scope::Global, Revision::new(since));
        watchers.spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < total - since as usize {
                seen.push(next(&mut stream).await.unwrap());
            }
            (since, seen)
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let mut written = Vec::new();
            for i in 0..EACH {
                let batch = put(plain(key(&format!("{writer}")), &i.to_string()));
                let op = batch.op;
                written.push((store.commit(batch).await.unwrap(), op));
            }
            written
        });
    }
    let mut written: Vec<_> = bounded(writers.join_all())
        .await
        .into_iter()
        .flatten()
        .collect();
    written.sort_unstable();
    for (since, seen) in bounded(watchers.join_all()).await {
        let seen: Vec<_> = seen
            .iter()
            .map(|change| (change.revision, change.op))
            .collect();
        assert_eq!(seen, written[since as usize..]);
    }
}

pub async fn readers_never_see_half_a_batch_nor_go_back(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let pair = |i: usize| {
        puts([
            plain(key("a"), &i.to_string()),
            plain(key("b"), &i.to_string()),
        ])
    };
    store.commit(pair(0)).await.unwrap();
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        readers.spawn(async move {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let page = store.list(&query(), Read::Latest).await.unwrap();
                let seen: Vec<usize> = page
                    .records
                    .iter()
                    .map(|r| text(r).parse().unwrap())
                    .collect();
                assert_eq!(seen[0], seen[1]);
                assert!(seen[0] >= last, "{} after {last}", seen[0]);
                assert_eq!(page.revision.get() as usize, seen[0] + 1);
                last = seen[0];
                tokio::task::yield_now().await;
            }
        });
    }
    for i in 1..=100 {
        let revision = store.commit(pair(i)).await.unwrap();
        let now = get(&store, &key("a")).await.unwrap();
        assert_eq!(
            now.version,
            revision.into(),
            "an acknowledged write is visible"
        );
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    bounded(readers.join_all()).await;
}

pub async fn one_operation_sent_many_times_at_once_happens_once(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for round in 1..=10 {
        let id = key(&round.to_string());
        let batch = absent(put(plain(id.clone(), "x")), id);
        let answers = race(&store, vec![batch; WRITERS]).await;
        for answer in answers {
            assert_eq!(answer.unwrap().get(), round);
        }
    }
}
