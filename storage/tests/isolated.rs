//! The suite on stores that share one engine, as those on a server do.
#![allow(clippy::unwrap_used, reason = "tests")]
use std::sync::{Arc, OnceLock};

use metal_storage::conformance::{Backend, Isolated};
use metal_storage::{
    Batch, BoxFuture, Guard, Key, Memory, Name, Read, Record, Result, Revision, Scope, Store,
};

/// All tests of one bound of history, in one store.
struct Shared;

impl Backend for Shared {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        static LONG: OnceLock<Memory> = OnceLock::new();
        Box::pin(async move {
            let engine = match history {
                10_000 => LONG.get_or_init(|| Memory::with_history(history)).clone(),
                _ => Memory::with_history(history),
            };
            Arc::new(Isolated::new(Arc::new(engine))) as Arc<dyn Store>
        })
    }
}

metal_storage::conformance!(Shared);

fn key(scope: &Scope) -> Key {
    Key::new(scope.clone(), Name::from_static("thing2"), "a").unwrap()
}

async fn insert(store: &Isolated, scope: &Scope) -> Result<Revision> {
    let mut batch = Batch::new(scope.clone());
    batch.guards.push(Guard::Absent(key(scope)));
    batch.writes.push(metal_storage::Write::Put(Record {
        key: key(scope),
        fields: Vec::new(),
        doc: "1".into(),
    }));
    store.commit(batch).await
}

#[tokio::test]
async fn two_tests_on_one_engine_do_not_see_each_other_and_one_opened_again_sees_its_own() {
    let engine: Arc<dyn Store> = Arc::new(Memory::new());
    let (one, two) = (
        Isolated::new(Arc::clone(&engine)),
        Isolated::new(Arc::clone(&engine)),
    );
    let name = || "fra".try_into().unwrap();
    for scope in [Scope::Global, Scope::Partition(name()), Scope::Node(name())] {
        for store in [&one, &two] {
            assert_eq!(insert(store, &scope).await.unwrap().get(), 1);
        }
        let again = one.on(Arc::clone(&engine));
        let found = again.get(&key(&scope), Read::Latest).await.unwrap();
        assert_eq!(found.unwrap().value.key, key(&scope));
        let error = insert(&again, &scope).await.unwrap_err();
        assert_eq!(error, metal_storage::Error::Conflict(key(&scope)));
    }
}
