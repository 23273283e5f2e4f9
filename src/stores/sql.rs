//! PostgreSQL and CockroachDB, by the tables of `migrations/`.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{
    Batch, BoxStream, Change, Key, Page, Query, Read, Record, Result, Revision, Scope, Sql,
    SqlOptions, Stats, Store, Stored,
};

use super::{Engine, Facts, Kind, Mode};
use crate::config::{StoreSettings, StoreUrl};
use crate::{migrations, schemas};

pub(super) const KIND: Kind = Kind {
    names: &["postgres", "cockroach"],
    example: "\"postgres://USER@HOST/DATABASE\", \"cockroach://USER@HOST/DATABASE\"",
    check_url: |url| match url.is_server() {
        true => {
            SqlOptions::new(url.as_str()).map_or_else(|error| Err(error.to_string()), |_| Ok(()))
        }
        false => Err("expected a URL, like \"postgres://USER@HOST/DATABASE\"".to_owned()),
    },
    open: |settings, _, mode| open(settings, mode).boxed(),
};

async fn open(settings: &StoreSettings, mode: Mode) -> Result<Arc<dyn Engine>> {
    let mut options = SqlOptions::new(settings.url.as_str())?;
    if let Some(path) = &settings.password_file {
        options = options.password_file(path)?;
    }
    if let Some(path) = &settings.ca_file {
        options = options.ca_file(path);
    }
    options.migrations = Some(migrations::ALL);
    options.migrate = mode == Mode::Migrate;
    let store = Sql::connect(options, schemas::ALL).await?;
    Ok(Arc::new(Database {
        store,
        url: settings.url.clone(),
    }))
}

struct Database {
    store: Sql,
    url: StoreUrl,
}

// === impl Database ===

impl Engine for Database {
    fn engine(&self) -> &'static str {
        super::open::engine(&self.url)
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        async {
            Facts {
                version: self.store.version().await.ok(),
                place: self.url.to_string(),
                bytes: None,
            }
        }
        .boxed()
    }

    fn stats(&self) -> Stats {
        self.store.stats()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close().boxed()
    }
}

super::forward!(Database, store);
