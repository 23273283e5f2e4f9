//! Whether the global store answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{Key, Name, Read, Scope, Store};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::probe::{Finding, Probe};
use super::store::HEARTBEAT;

/// How long an answer counts. The store is shared by all nodes, and is not asked ten times a
/// second by each.
const FRESH: Duration = Duration::from_secs(1);

/// Reads from the global store. Whatever it finds is never bad: every partition shares that
/// store, and its fault must not withdraw the address everywhere.
#[derive(Clone)]
pub struct GlobalStoreProbe {
    store: Arc<dyn Store>,
    patience: Duration,
    last: Arc<Mutex<Option<(Instant, Finding)>>>,
}

// === impl GlobalStoreProbe ===

impl GlobalStoreProbe {
    /// Probes `store`. A probe without an answer after `bound` would count as bad, so this one
    /// gives up sooner.
    pub fn new(store: Arc<dyn Store>, bound: Duration) -> Self {
        Self {
            store,
            patience: bound / 2,
            last: Arc::default(),
        }
    }

    async fn probe(self) -> Finding {
        let mut last = self.last.lock().await;
        if let Some((at, finding)) = &*last
            && at.elapsed() < FRESH
        {
            return finding.clone();
        }
        let finding = match timeout(self.patience, self.read()).await {
            Ok(Ok(())) => Finding::Good,
            Ok(Err(error)) => poor(&error),
            Err(_) => poor(&format!("no answer for {} ms", self.patience.as_millis())),
        };
        *last = Some((Instant::now(), finding.clone()));
        finding
    }

    async fn read(&self) -> metal_storage::Result<()> {
        let table = Name::from_static(HEARTBEAT.table());
        let key = Key::new(Scope::Global, table, "global")?;
        self.store.get(&key, Read::Latest).await.map(drop)
    }
}

impl Probe for GlobalStoreProbe {
    fn name(&self) -> &str {
        "global store"
    }

    fn run(&self) -> BoxFuture<'static, Finding> {
        self.clone().probe().boxed()
    }
}

fn poor(cause: &dyn std::fmt::Display) -> Finding {
    Finding::Poor(format!("the global store does not answer: {cause}").into())
}

#[cfg(test)]
mod tests {
    use metal_storage::{
        Batch, BoxStream, Change, Error, Memory, Page, Query, Record, Result, Revision, Stored,
    };

    use super::*;

    /// Fails, or never answers.
    struct Broken {
        hangs: bool,
    }

    impl Broken {
        async fn fail<T>(&self) -> Result<T> {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            Err(Error::Unavailable {
                reason: "cut off".into(),
            })
        }
    }

    impl Store for Broken {
        fn get<'a>(
            &'a self,
            _: &'a Key,
            _: Read,
        ) -> metal_storage::BoxFuture<'a, Result<Option<Stored<Record>>>> {
            Box::pin(self.fail())
        }

        fn list<'a>(&'a self, _: &'a Query, _: Read) -> metal_storage::BoxFuture<'a, Result<Page>> {
            Box::pin(self.fail())
        }

        fn commit(&self, _: Batch) -> metal_storage::BoxFuture<'_, Result<Revision>> {
            Box::pin(self.fail())
        }

        fn watch(&self, _: Scope, _: Revision) -> BoxStream<'static, Result<Change>> {
            Box::pin(futures::stream::empty())
        }
    }

    async fn find(store: impl Store) -> Finding {
        let bound = Duration::from_millis(100);
        let probe = GlobalStoreProbe::new(Arc::new(store), bound);
        let found = timeout(bound, probe.run()).await;
        found.expect("it answers within the bound of a probe")
    }

    #[tokio::test]
    async fn a_global_store_that_fails_or_hangs_is_poor_and_never_bad() {
        assert_eq!(find(Memory::new()).await, Finding::Good);
        for hangs in [false, true] {
            let finding = find(Broken { hangs }).await;
            assert!(matches!(finding, Finding::Poor(_)), "{finding:?}");
        }
    }
}
