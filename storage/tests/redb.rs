//! The suite on a file.
#![allow(clippy::unwrap_used, reason = "tests")]
use std::sync::{Arc, Mutex};

use metal_storage::conformance::Backend;
use metal_storage::{BoxFuture, Redb, RedbOptions, Store};
use tempfile::TempDir;

#[derive(Default)]
struct InFile {
    last: Mutex<Option<(TempDir, RedbOptions, Arc<Redb>)>>,
}

impl Backend for InFile {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let folder = TempDir::new().unwrap();
            let options = RedbOptions {
                history_revisions: history,
                ..RedbOptions::default()
            };
            let path = folder.path().join("store.redb");
            let store = Arc::new(Redb::open(path, options.clone()).unwrap());
            let last = Some((folder, options, Arc::clone(&store)));
            *self.last.lock().unwrap() = last;
            store as Arc<dyn Store>
        })
    }

    fn cases(&self) -> u32 {
        24
    }

    fn reopened(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async move {
            let (folder, options, store) = self.last.lock().unwrap().take().unwrap();
            store.close().await;
            let path = folder.path().join("store.redb");
            let store = Arc::new(Redb::open(path, options.clone()).unwrap());
            *self.last.lock().unwrap() = Some((folder, options, Arc::clone(&store)));
            Some(store as Arc<dyn Store>)
        })
    }
}

metal_storage::conformance!(InFile::default());
