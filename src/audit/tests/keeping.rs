use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Error, Key, Page, Query, Read, Record, Result, Revision,
    Stored,
};

use super::*;

/// A store that is away for so many commits, and then forgets to say that it made one.
struct Faulty {
    inner: Memory,
    away: AtomicU32,
    lost: AtomicU32,
}

fn one_less(left: &AtomicU32) -> bool {
    let less = |left: u32| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl Store for Faulty {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        self.inner.get(key, read)
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        self.inner.list(query, read)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            if one_less(&self.away) {
                let reason = "away".into();
                return Err(Error::Unavailable { reason });
            }
            let op = batch.op;
            let revision = self.inner.commit(batch).await?;
            match one_less(&self.lost) {
                true => Err(Error::Unknown(op)),
                false => Ok(revision),
            }
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.inner.watch(scope, since)
    }
}

fn seconds(events: &[Event]) -> Vec<i64> {
    events
        .iter()
        .map(|event| (event.at - at(0)).num_seconds())
        .collect()
}

#[tokio::test]
async fn a_store_that_is_away_or_silent_loses_and_repeats_no_entry() {
    let store = Faulty {
        inner: Memory::new(),
        away: AtomicU32::new(1),
        lost: AtomicU32::new(1),
    };
    let audited = on(Arc::new(store), &config());
    for second in 0..40 {
        audited.trail.record(event(second));
    }
    assert!(audited.trail.flush(Duration::from_secs(60)).await);
    let found = audited.find(Search::default()).await;
    assert_eq!(seconds(&found), (0..40).rev().collect::<Vec<_>>());
    assert_eq!(audited.trail.figures().written.get(), 40);
    assert_eq!(audited.trail.figures().waiting.get(), 0);
}

#[tokio::test]
async fn what_finds_no_room_in_the_queue_is_counted_and_never_waits() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let audit = open(&store, &Scope::Global, "dev-1", &config());
    for second in 0..70 {
        audit.trail.record(event(second));
    }
    assert_eq!(audit.trail.figures().overflown(), 6);
    assert_eq!(audit.trail.figures().waiting.get(), 64);
    tokio::spawn(audit.writer.run());
    assert!(audit.trail.flush(Duration::from_secs(60)).await);
    let found = audit.archive.find(&Search::default(), 100).await.unwrap();
    assert_eq!(seconds(&found), (0..64).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_that_the_store_refuses_costs_no_other() {
    let audited = in_memory();
    let too_long = "x".repeat(2000);
    for second in 0..10 {
        let user = match second {
            4 => too_long.clone(),
            _ => "u".into(),
        };
        audited.trail.record(Event {
            user,
            ..event(second)
        });
    }
    let found = audited.find(Search::default()).await;
    assert_eq!(seconds(&found), [9, 8, 7, 6, 5, 3, 2, 1, 0]);
    assert_eq!(audited.trail.figures().written.get(), 9);
    assert_eq!(audited.trail.figures().waiting.get(), 0);
}

#[tokio::test]
async fn the_oldest_of_too_many_entries_are_forgotten() {
    let audited = in_memory();
    for second in 0..4000 {
        audited.trail.record(event(second));
        if second % 50 == 0 {
            assert!(audited.trail.flush(Duration::from_secs(60)).await);
        }
    }
    audited.find(Search::default()).await;
    audited.retention.pass(at(4000)).await.unwrap();
    let kept = audited.find(Search::default()).await;
    assert!((1600..=1700).contains(&kept.len()), "{}", kept.len());
    assert_eq!(seconds(&kept[..2]), [3999, 3998]);
    let oldest = 4000 - i64::try_from(kept.len()).unwrap();
    assert_eq!(
        seconds(&kept[kept.len() - 1..]),
        [oldest],
        "none in between is missing"
    );
    assert_eq!(audited.retention.pass(at(4000)).await.unwrap(), 0);
    // Writing goes on, also where the bucket that is being filled was forgotten.
    audited.trail.record(event(4001));
    assert_eq!(seconds(&audited.find(Search::default()).await[..1]), [4001]);
}

#[tokio::test]
async fn entries_that_are_too_old_are_forgotten_and_writing_goes_on() {
    let audited = in_memory();
    let day = 24 * 3600;
    for second in [0, 10, day, day + 10] {
        audited.trail.record(event(second));
    }
    assert_eq!(audited.find(Search::default()).await.len(), 4);
    assert_eq!(audited.retention.pass(at(day + 5)).await.unwrap(), 0);
    assert_eq!(audited.retention.pass(at(day + 11)).await.unwrap(), 2);
    assert_eq!(
        seconds(&audited.find(Search::default()).await),
        [day + 10, day]
    );
    // The bucket that is being filled, too.
    assert_eq!(audited.retention.pass(at(3 * day)).await.unwrap(), 2);
    audited.trail.record(event(day + 20));
    assert_eq!(seconds(&audited.find(Search::default()).await), [day + 20]);
}

#[tokio::test]
async fn callers_without_a_key_push_out_no_entry_of_those_with_one() {
    let audited = in_memory();
    for second in 0..20 {
        audited.trail.record(event(second));
    }
    for second in 20..2020 {
        audited.trail.record(unknown(second));
        if second % 40 == 0 {
            assert!(audited.trail.flush(Duration::from_secs(60)).await);
        }
    }
    audited.find(Search::default()).await;
    audited.retention.pass(at(2020)).await.unwrap();
    let kept = audited.find(Search::default()).await;
    let known = kept.iter().filter(|event| event.is_known()).count();
    assert_eq!(known, 20);
    assert!(
        (160..=260).contains(&(kept.len() - known)),
        "{}",
        kept.len()
    );
}

#[tokio::test]
async fn two_nodes_write_and_forget_in_one_store() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let nodes = [on(Arc::clone(&store), &config()), on(store, &config())];
    for second in 0..2400 {
        let node = &nodes[usize::from(second % 3 == 0)];
        node.trail.record(event(second));
        if second % 30 == 0 {
            assert!(nodes[0].trail.flush(Duration::from_secs(60)).await);
            assert!(nodes[1].trail.flush(Duration::from_secs(60)).await);
        }
    }
    for node in &nodes {
        node.find(Search::default()).await;
    }
    let forgotten = nodes[0].retention.pass(at(2400)).await.unwrap();
    assert_eq!(nodes[1].retention.pass(at(2400)).await.unwrap(), 0);
    let kept = nodes[1].find(Search::default()).await;
    assert_eq!(kept.len() + forgotten, 2400);
    assert!((1600..=1800).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn a_search_finds_what_matches_everything_that_is_given() {
    let audited = in_memory();
    for second in 0..5 {
        audited.trail.record(event(second));
    }
    audited.trail.record(Event {
        phase: Phase::Response,
        user: "other@example.com".into(),
        tenant: "other".into(),
        project: "p".into(),
        method: "POST".into(),
        path: "/v1/size/s".into(),
        remote_addr: "[2001:db8::7]:1".into(),
        forwarded_for: "198.51.100.9".into(),
        status: Some(422),
        error: "size \"s\" is in use".into(),
        body: String::new(),
        ..event(5)
    });
    let text = |text: &str| Some(text.to_owned());
    let only = |change: fn(&mut Search, Option<String>), value: &str| {
        let mut search = Search::default();
        change(&mut search, text(value));
        search
    };
    for search in [
        only(|s, v| s.user = v, "other@example.com"),
        only(|s, v| s.tenant = v, "other"),
        only(|s, v| s.project = v, "p"),
        only(|s, v| s.method = v, "POST"),
        only(|s, v| s.path = v, "/v1/size/s"),
        only(|s, v| s.remote_addr = v, "2001:db8::7"),
        only(|s, v| s.remote_addr = v, "[2001:db8::7]:1"),
        only(|s, v| s.forwarded_for = v, "198.51.100.9"),
        only(|s, v| s.error = v, "in use"),
        only(|s, v| s.rqid = v, "rq-5"),
        Search {
            status: Some(422),
            ..Search::default()
        },
        Search {
            phase: Some(Phase::Response),
            ..Search::default()
        },
        Search {
            from: Some(at(4) + TimeDelta::microseconds(1)),
            ..Search::default()
        },
    ] {
        assert_eq!(
            seconds(&audited.find(search.clone()).await),
            [5],
            "{search:?}"
        );
    }
    for (search, expected) in [
        (
            Search {
                to: Some(at(1)),
                ..Search::default()
            },
            vec![1, 0],
        ),
        (
            Search {
                from: Some(at(1)),
                to: Some(at(3)),
                ..Search::default()
            },
            vec![3, 2, 1],
        ),
        (
            Search {
                body: text("\"id\""),
                from: Some(at(3)),
                ..Search::default()
            },
            vec![4, 3],
        ),
        (
            Search {
                user: text("nobody"),
                ..Search::default()
            },
            vec![],
        ),
        (
            Search {
                rqid: text("rq-5"),
                project: text("q"),
                ..Search::default()
            },
            vec![],
        ),
    ] {
        assert_eq!(
            seconds(&audited.find(search.clone()).await),
            expected,
            "{search:?}"
        );
    }
    let two = audited.archive.find(&Search::default(), 2).await.unwrap();
    assert_eq!(seconds(&two), [5, 4]);
}
