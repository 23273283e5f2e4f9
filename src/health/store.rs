//! Whether the local store commits, and has room to go on.

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{Entity, Read, Schema, Scope, ScopeName, Store, Stored, Table, Value};
use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::probe::{Finding, Probe};

/// The table of [`Heartbeat`].
pub(crate) const HEARTBEAT: Schema = Heartbeat::SCHEMA;

/// The record that every probe commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Heartbeat {
    beats: u64,
}

// === impl Heartbeat ===

impl Entity for Heartbeat {
    const SCHEMA: Schema = Schema::new("heartbeat", &[]);

    fn id(&self) -> &str {
        "store"
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// Commits a record to the node's own scope, which nobody follows.
#[derive(Debug, Clone)]
pub struct StoreProbe {
    heartbeat: Table<Heartbeat>,
    /// The record as committed last; unknown after an error.
    last: Arc<Mutex<Option<Stored<Heartbeat>>>>,
    data_dir: PathBuf,
    min_free: u64,
}

// === impl StoreProbe ===

impl StoreProbe {
    /// Probes `store`, whose files stand in `data_dir`, on a file system that
    /// has to have `min_free` bytes left.
    pub fn new(store: Arc<dyn Store>, node: ScopeName, data_dir: PathBuf, min_free: u64) -> Self {
        Self {
            heartbeat: Table::new(store, Scope::Node(node)),
            last: Arc::default(),
            data_dir,
            min_free,
        }
    }

    async fn probe(self) -> Finding {
        if let Err(why) = self.has_room() {
            return Finding::bad(why);
        }
        let mut last = self.last.lock().await;
        match self.commit(last.take()).await {
            Ok(stored) => {
                *last = Some(stored);
                Finding::Good
            }
            Err(error) => Finding::bad(format!("the store does not commit: {error}")),
        }
    }

    async fn commit(
        &self,
        last: Option<Stored<Heartbeat>>,
    ) -> metal_storage::Result<Stored<Heartbeat>> {
        let last = match last {
            Some(last) => Some(last),
            None => self.heartbeat.get("store", Read::Latest).await?,
        };
        match last {
            Some(last) => {
                let beats = last.value.beats.wrapping_add(1);
                self.heartbeat.replace(&last, &Heartbeat { beats }).await
            }
            None => self.heartbeat.insert(&Heartbeat { beats: 1 }).await,
        }
    }

    fn has_room(&self) -> Result<(), String> {
        let directory = self.data_dir.display();
        let free = statvfs(&self.data_dir)
            .map(|stat| stat.blocks_available() as u64 * stat.fragment_size() as u64)
            .map_err(|error| format!("{directory}: {error}"))?;
        if free < self.min_free {
            return Err(format!(
                "disk full: {free} bytes left for {directory}, at least {} needed",
                self.min_free
            ));
        }
        Ok(())
    }
}

impl Probe for StoreProbe {
    fn name(&self) -> &str {
        "store"
    }

    fn run(&self) -> BoxFuture<'static, Finding> {
        self.clone().probe().boxed()
    }
}
