//! The suite, all of it on one server and in one database.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use metal_storage::conformance::{Backend, Isolated, SCHEMAS};
use metal_storage::{BoxFuture, Sql, SqlOptions, Store};

use crate::kit::server;

/// Stores of one test.
#[derive(Default)]
struct InDatabase {
    last: Mutex<Option<(Isolated, SqlOptions)>>,
}

fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| server().create_database("suite"))
}

async fn open(options: &SqlOptions) -> Arc<dyn Store> {
    Arc::new(Sql::connect(options.clone(), SCHEMAS).await.unwrap())
}

impl Backend for InDatabase {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let mut options = SqlOptions::new(url()).unwrap();
            options.history_revisions = history;
            options.connections = 4;
            // The machine may be busy with other tests.
            options.connect_wait = Duration::from_secs(20);
            options.statement_wait = Duration::from_secs(20);
            options.retry_wait = Duration::from_secs(40);
            options.commit_wait = Duration::from_secs(60);
            let store = Isolated::new(open(&options).await);
            *self.last.lock().unwrap() = Some((store.clone(), options));
            Arc::new(store) as Arc<dyn Store>
        })
    }

    fn reopened(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async move {
            let (store, options) = self.last.lock().unwrap().clone().unwrap();
            let store = store.on(open(&options).await);
            Some(Arc::new(store) as Arc<dyn Store>)
        })
    }

    fn cases(&self) -> u32 {
        16
    }
}

metal_storage::conformance!(InDatabase::default());
