//! Change streams while many write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Backend;
use super::dice::Dice;
use super::kit::*;
use crate::{Change, Error, Key, OpId, Read, Record, Revision, Scope, Store, Stored, Write};

const WRITERS: u64 = 4;
const WATCHERS: u64 = 3;

/// What a follower has.
#[derive(Debug, Default, PartialEq)]
struct Copy {
    revision: Revision,
    records: BTreeMap<Key, Stored<Record>>,
}

// === impl Copy ===

impl Copy {
    async fn of(store: &Arc<dyn Store>) -> Self {
        let page = store.list(&query(), Read::Latest).await.unwrap();
        assert_eq!(page.next, None);
        let mut copy = Self {
            revision: page.revision,
            ..Self::default()
        };
        for mut stored in page.records {
            canonical(&mut stored.value);
            copy.records.insert(stored.value.key.clone(), stored);
        }
        copy
    }

    fn apply(&mut self, change: Change) {
        assert_eq!(change.revision, self.revision.next());
        self.revision = change.revision;
        for write in change.writes {
            match write {
                Write::Put(mut value) => {
                    canonical(&mut value);
                    let version = change.revision.into();
                    self.records
                        .insert(value.key.clone(), Stored { value, version });
                }
                Write::Delete(key) => drop(self.records.remove(&key)),
            }
        }
    }
}

/// So many commits of each writer, on records that meet; gives who did what.
async fn write(store: &Arc<dyn Store>, each: u64) -> Vec<(Revision, OpId)> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(store);
        writers.spawn(async move {
            let mut dice = Dice::new(writer + 1);
            let mut written = Vec::new();
            for i in 0..each {
                let id = |dice: &mut Dice| key(&dice.roll(6).to_string());
                let mut batch = match dice.roll(4) {
                    0 => delete(id(&mut dice)),
                    _ => put(plain(id(&mut dice), &format!("{writer} {i}"))),
                };
                let other = id(&mut dice);
                if *batch.writes[0].key() != other {
                    let record = plain(other, &format!("{writer} {i} too"));
                    batch.writes.push(Write::Put(record));
                }
                let op = batch.op;
                written.push((store.commit(batch).await.unwrap(), op));
            }
            written
        });
    }
    let written = bounded(writers.join_all()).await;
    let mut written: Vec<_> = written.into_iter().flatten().collect();
    written.sort_unstable();
    written
}

pub async fn watchers_that_come_and_go_during_writes_miss_nothing(backend: &dyn Backend) {
    const EACH: u64 = 60;
    let store = backend.fresh(HISTORY).await;
    let mut watchers = JoinSet::new();
    for watcher in 0..WATCHERS {
        let store = Arc::clone(&store);
        watchers.spawn(async move {
            let mut dice = Dice::new(100 + watcher);
            let mut copy = Copy::default();
            let mut seen = Vec::new();
            while copy.revision.get() < WRITERS * EACH {
                let mut stream = store.watch(Scope::Global, copy.revision);
                let left = WRITERS * EACH - copy.revision.get();
                for _ in 0..(1 + dice.roll(30)).min(left) {
                    let change = next(&mut stream).await.unwrap();
                    seen.push((change.revision, change.op));
                    copy.apply(change);
                }
            }
            (seen, copy)
        });
    }
    let written = write(&store, EACH).await;
    let expected = Copy::of(&store).await;
    for (seen, copy) in bounded(watchers.join_all()).await {
        assert_eq!(seen, written);
        assert_eq!(copy, expected);
    }
}

pub async fn a_follower_that_is_left_behind_lists_and_goes_on(backend: &dyn Backend) {
    const EACH: u64 = 60;
    let store = backend.fresh(16).await;
    let before = write(&store, 25).await;
    let last = before.len() as u64 + WRITERS * EACH;
    let follower = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut copy = Copy::default();
            let mut left_behind = 0;
            let mut stream = store.watch(Scope::Global, copy.revision);
            while copy.revision.get() < last {
                match next(&mut stream).await {
                    Ok(change) => copy.apply(change),
                    Err(Error::Compacted(oldest)) => {
                        assert!(oldest > copy.revision);
                        left_behind += 1;
                        copy = Copy::of(&store).await;
                        // Far enough behind, now and then, to be left again.
                        tokio::time::sleep(Duration::from_millis(left_behind)).await;
                        stream = store.watch(Scope::Global, copy.revision);
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            (left_behind, copy)
        }
    });
    write(&store, EACH).await;
    let (left_behind, copy) = bounded(follower).await.unwrap();
    assert!(left_behind >= 1, "a hundred changes were not remembered");
    assert_eq!(copy, Copy::of(&store).await);
}
