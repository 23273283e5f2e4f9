//! The suite's own eyes: what is wrong on purpose is found.
#![allow(clippy::unwrap_used, reason = "tests")]
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use metal_storage::conformance::linear::Recorder;
use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Error, Guard, Key, Memory, Name, OpId, Page, Query, Read,
    Record, Result, Revision, Scope, Store, Stored, Version, Write,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// A guard passes that does not hold.
    GuardPasses,
    /// An acknowledged commit is not there.
    LosesWrites,
    /// A repeated operation is done twice.
    DoesTwice,
    /// A read shows what was there before.
    ReadsOld,
    /// A list shows what was there before.
    ListsOld,
    /// What was said not to have happened happened.
    Denies,
    /// Unknown, and then it happens late; no lie.
    Unsure,
    /// Watchers see another operation than the one that was acknowledged.
    ShowsAnother,
}

struct Liar {
    lie: Lie,
    store: Memory,
    /// As it was some commits ago.
    old: Memory,
    commits: AtomicU64,
}

impl Store for Liar {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        match self.lie {
            Lie::ReadsOld => self.old.get(key, read),
            _ => self.store.get(key, read),
        }
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        match self.lie {
            Lie::ListsOld => self.old.list(query, read),
            _ => self.store.list(query, read),
        }
    }

    fn commit(&self, mut batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            let number = self.commits.fetch_add(1, SeqCst);
            if number < 5 {
                self.old.commit(batch.clone()).await?;
            }
            if number == 5 {
                match self.lie {
                    Lie::GuardPasses => batch.guards.clear(),
                    Lie::LosesWrites => return Ok(Revision::new(6)),
                    Lie::DoesTwice => batch.op = OpId::new(),
                    Lie::Denies => {
                        self.store.commit(batch).await?;
                        let reason = "it says".into();
                        return Err(Error::Unavailable { reason });
                    }
                    Lie::Unsure => {
                        let op = batch.op;
                        self.store.commit(batch).await?;
                        return Err(Error::Unknown(op));
                    }
                    Lie::None | Lie::ReadsOld | Lie::ListsOld | Lie::ShowsAnother => {}
                }
            }
            self.store.commit(batch).await
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        let (lie, stream) = (self.lie, self.store.watch(scope, since));
        Box::pin(stream.map_ok(move |mut change| {
            if lie == Lie::ShowsAnother && change.revision.get() == 6 {
                change.op = OpId::new();
            }
            change
        }))
    }
}

fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("thing2"), id).unwrap()
}

fn put(id: &str, doc: &str) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key(id),
        fields: Vec::new(),
        doc: doc.to_owned().into(),
    }));
    batch
}

/// Five commits, a sixth of which the liar lies, what a client does about it, and a look.
async fn history(lie: Lie, sixth: Batch, again: bool) -> std::result::Result<(), String> {
    recorded(lie, sixth, again).await.check()
}

/// The same, and what a watcher saw.
async fn watched(lie: Lie) -> std::result::Result<(), String> {
    let recorder = recorded(lie, put("a", "6"), false).await;
    watch(&recorder, 6).await;
    recorder.check()
}

async fn watch(recorder: &Recorder, changes: usize) {
    let stream = recorder.watch(Scope::Global, Revision::ZERO);
    let seen = stream.take(changes).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(seen.len(), changes);
}

async fn recorded(lie: Lie, sixth: Batch, again: bool) -> Recorder {
    let recorder = Recorder::new(Arc::new(Liar {
        lie,
        store: Memory::new(),
        old: Memory::new(),
        commits: AtomicU64::new(0),
    }));
    let mut first = put("a", "0");
    first.op = sixth.op;
    if again {
        recorder.commit(first).await.unwrap();
    }
    for i in u8::from(again)..5 {
        recorder.commit(put("a", &i.to_string())).await.unwrap();
    }
    let _ = recorder.commit(sixth).await;
    recorder.get(&key("a"), Read::Latest).await.unwrap();
    let query = Query::new(Scope::Global, Name::from_static("thing2"));
    recorder.list(&query, Read::Latest).await.unwrap();
    recorder
}

#[tokio::test]
async fn a_store_that_does_not_lie_is_believed() {
    for lie in [Lie::None, Lie::Unsure] {
        history(lie, put("a", "6"), false).await.unwrap();
        history(lie, put("a", "6"), true).await.unwrap();
    }
}

#[tokio::test]
async fn every_lie_is_found_and_told() {
    let mut guarded = put("a", "6");
    guarded
        .guards
        .push(Guard::Version(key("a"), Version::new(1)));
    for (lie, sixth, again) in [
        (Lie::GuardPasses, guarded, false),
        (Lie::LosesWrites, put("a", "6"), false),
        (Lie::DoesTwice, put("a", "6"), true),
        (Lie::ReadsOld, put("a", "6"), false),
        (Lie::ListsOld, put("a", "6"), false),
        (Lie::Denies, put("a", "6"), false),
    ] {
        let wrong = history(lie, sixth, again).await.unwrap_err();
        assert!(wrong.contains("none of these can be next"), "{wrong}");
    }
}

#[tokio::test]
async fn what_watchers_see_is_held_against_the_answers() {
    watched(Lie::None).await.unwrap();
    watched(Lie::Unsure).await.unwrap();
    let wrong = watched(Lie::Denies).await.unwrap_err();
    assert!(wrong.contains("at revision 6"), "{wrong}");
    assert!(wrong.contains("answered as not done"), "{wrong}");
    let wrong = watched(Lie::ShowsAnother).await.unwrap_err();
    assert!(wrong.contains("at revision 6"), "{wrong}");
}

#[tokio::test]
async fn what_watchers_see_spares_the_search_for_what_was_never_answered() {
    /// Commits when it is told to, the last first, and answers nobody.
    #[derive(Default)]
    struct Late {
        store: Memory,
        waiting: Mutex<Vec<Batch>>,
    }
    impl Store for Late {
        fn get<'a>(
            &'a self,
            key: &'a Key,
            read: Read,
        ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
            self.store.get(key, read)
        }
        fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
            self.store.list(query, read)
        }
        fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
            self.waiting.lock().unwrap().push(batch);
            Box::pin(std::future::pending())
        }
        fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
            self.store.watch(scope, since)
        }
    }
    const COMMITS: usize = 20;
    let late = Arc::new(Late::default());
    let recorder = Recorder::new(late.clone());
    for i in 0..COMMITS {
        let mut commit = recorder.commit(put(&format!("{i:02}"), "1"));
        assert!(futures::poll!(&mut commit).is_pending());
    }
    let waiting = std::mem::take(&mut *late.waiting.lock().unwrap());
    for batch in waiting.into_iter().rev() {
        late.store.commit(batch).await.unwrap();
    }
    let query = Query::new(Scope::Global, Name::from_static("thing2"));
    recorder.list(&query, Read::Latest).await.unwrap();
    // To try every order of so many would take far too long.
    watch(&recorder, COMMITS).await;
    recorder.check().unwrap();

    // Nor where to put those that never happened.
    for i in 0..COMMITS {
        let mut commit = recorder.commit(put(&format!("never {i}"), "1"));
        assert!(futures::poll!(&mut commit).is_pending());
    }
    recorder.list(&query, Read::Latest).await.unwrap();
    recorder.check().unwrap();
}

#[tokio::test]
async fn a_commit_dropped_before_its_answer_is_open() {
    let recorder = Recorder::new(Arc::new(Memory::new()));
    let mut commit = recorder.commit(put("a", "1"));
    // Memory commits when first polled; the answer is lost.
    assert!(futures::poll!(&mut commit).is_ready());
    drop(commit);
    assert_eq!((recorder.len(), recorder.unknown()), (1, 0));

    /// Takes a commit and never answers.
    struct Silent;
    impl Store for Silent {
        fn get<'a>(&'a self, _: &'a Key, _: Read) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
            Box::pin(std::future::pending())
        }
        fn list<'a>(&'a self, _: &'a Query, _: Read) -> BoxFuture<'a, Result<Page>> {
            Box::pin(std::future::pending())
        }
        fn commit(&self, _: Batch) -> BoxFuture<'_, Result<Revision>> {
            Box::pin(std::future::pending())
        }
        fn watch(&self, _: Scope, _: Revision) -> BoxStream<'static, Result<Change>> {
            Box::pin(futures::stream::pending())
        }
    }
    let silent = recorder.on(Arc::new(Silent));
    let mut commit = silent.commit(put("a", "2"));
    assert!(futures::poll!(&mut commit).is_pending());
    drop(commit);
    assert_eq!((recorder.len(), recorder.unknown()), (2, 1));
    recorder.get(&key("a"), Read::Latest).await.unwrap();
    recorder.check().unwrap();
}
