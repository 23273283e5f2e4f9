//! etcd, a cluster of three members or more.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{
    Batch, BoxStream, Change, Etcd, EtcdOptions, EtcdTls, Key, Page, Query, Read, Record, Result,
    Revision, Scope, Stats, Store, Stored,
};

use super::{Engine, Facts, Kind};
use crate::config::{StoreSettings, StoreUrl};
use crate::schemas;

pub(super) const KIND: Kind = Kind {
    names: &["etcd"],
    example: "\"etcd://HOST:PORT,HOST:PORT/PREFIX\"",
    check_url: |url| match url.is_server() {
        true => EtcdOptions::from_url(url.as_str())
            .map_or_else(|error| Err(error.to_string()), |_| Ok(())),
        false => Err("expected a URL, like \"etcd://HOST:PORT,HOST:PORT\"".to_owned()),
    },
    // An empty one is begun, and there is no older format to migrate.
    open: |settings, _, _| open(settings).boxed(),
};

async fn open(settings: &StoreSettings) -> Result<Arc<dyn Engine>> {
    let mut options = EtcdOptions::from_url(settings.url.as_str())?;
    if let Some(path) = &settings.password_file {
        options = options.with_credential_file(path)?;
    }
    if let Some(path) = &settings.ca_file {
        let identity = match options.tls {
            EtcdTls::On { identity, .. } => identity,
            EtcdTls::Off => None,
        };
        let ca = Some(path.clone());
        options.tls = EtcdTls::On { ca, identity };
    }
    let store = Etcd::connect(options, schemas::ALL).await?;
    Ok(Arc::new(Cluster {
        store,
        url: settings.url.clone(),
    }))
}

struct Cluster {
    store: Etcd,
    url: StoreUrl,
}

// === impl Cluster ===

impl Engine for Cluster {
    fn engine(&self) -> &'static str {
        "etcd"
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        async {
            Facts {
                version: None,
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

super::forward!(Cluster, store);
