//! Whether the store agrees with the model.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use metal_storage::{OpId, Read, Revision, Sql, Store};

use crate::model::Model;
use crate::scenario::ANSWER;
use crate::traffic::{History, key};

/// Panics where the store, once it is well again, is not what its clients were told. Repeats what
/// they were unsure of, and gives the scope's last revision.
pub async fn validate(store: &Sql, model: &Model, history: &History) -> Revision {
    let slowest = history.events.iter().map(|event| event.took).max();
    assert!(slowest.unwrap_or_default() < ANSWER, "{slowest:?}");

    for (number, revision) in &model.happened {
        assert_eq!(
            versions(store, *number).await,
            [Some(*revision); 2],
            "{number} was acknowledged"
        );
    }
    for (number, error) in &model.refused {
        assert_eq!(
            versions(store, *number).await,
            [None; 2],
            "{number}: {error}"
        );
    }
    for event in &model.unsure {
        let [left, right] = versions(store, event.number).await;
        assert_eq!(left, right, "{} is half there", event.number);
        let repeated = store.commit(event.batch.clone()).await.unwrap();
        assert_eq!(
            left.unwrap_or(repeated),
            repeated,
            "{} happened twice",
            event.number
        );
        assert_eq!(versions(store, event.number).await, [Some(repeated); 2]);
    }
    let last = store.commit(crate::traffic::batch(-1)).await.unwrap();
    let count = model.happened.len() + model.unsure.len() + 1;
    assert_eq!(last.get(), count as u64, "each batch has one revision");
    last
}

/// Panics unless the watcher was shown every change, once, in order.
pub fn validate_watch(watched: &[(Revision, OpId)], model: &Model, history: &History) {
    for (i, (revision, _)) in watched.iter().enumerate() {
        assert_eq!(
            revision.get(),
            i as u64 + 1,
            "a change is missing or twice there"
        );
    }
    let ops: BTreeMap<_, _> = history
        .events
        .iter()
        .map(|e| (e.number, e.batch.op))
        .collect();
    for (number, revision) in &model.happened {
        let at = usize::try_from(revision.get()).unwrap() - 1;
        assert_eq!(watched[at].1, ops[number], "{number} at {revision}");
    }
}

async fn versions(store: &Sql, number: i64) -> [Option<Revision>; 2] {
    let mut found = [None; 2];
    for (i, table) in ["left", "right"].into_iter().enumerate() {
        let record = store.get(&key(table, number), Read::Latest).await.unwrap();
        found[i] = record.map(|record| record.version.revision());
    }
    found
}

/// Waits until something is so; it is asked often.
pub async fn until(what: &str, bound: Duration, so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < bound, "{what}: not within {bound:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}
