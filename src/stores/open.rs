use std::sync::Arc;

use metal_storage::{Error, Replica, Result, Store};

use super::late::Late;
use super::standby::Standby;
use super::{Engine, kind};
use crate::config::{Config, DataDir, StoreSettings, StoreUrl};
use crate::schemas;

/// What may be done to a store while it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bring it to the format of this version.
    Migrate,
    /// Refuse it if it is of another.
    AsItIs,
}

/// The two stores of a node; the same one twice where the configuration names one.
pub struct Stores {
    /// What all partitions share.
    pub global: Arc<dyn Engine>,
    /// What this partition and this node own.
    pub local: Arc<dyn Engine>,
    late: Option<Arc<Late>>,
    standby: Option<Arc<Standby>>,
}

// === impl Stores ===

impl Stores {
    /// Opens both, for a node that serves. A global store on a server may be out of reach: it is
    /// then waited for by [`keep_trying`](Self::keep_trying).
    ///
    /// # Errors
    /// Why the local store, or a global one that is no server, cannot be opened.
    pub async fn start(config: &Config) -> Result<Self> {
        let settings = &config.stores;
        let local = open(&settings.local, &config.data_dir, Mode::Migrate).await?;
        if settings.global == settings.local {
            schemas::reindex(&(Arc::clone(&local) as Arc<dyn Store>)).await;
            return Ok(Self::one(local));
        }
        if !settings.global.url.is_server() {
            let global = open(&settings.global, &config.data_dir, Mode::Migrate).await?;
            schemas::reindex(&(Arc::clone(&global) as Arc<dyn Store>)).await;
            return Ok(Self {
                global,
                local,
                late: None,
                standby: None,
            });
        }
        let late = Late::new(settings.global.clone(), config.data_dir.clone()).await;
        let standby = match Standby::new(Arc::clone(&late), &config.data_dir).await {
            Ok(standby) => Some(standby),
            Err(error) => {
                tracing::error!(%error, "there is no replica: no reads while the global store is away");
                None
            }
        };
        let global = match &standby {
            Some(standby) => Arc::clone(standby) as Arc<dyn Engine>,
            None => Arc::clone(&late) as Arc<dyn Engine>,
        };
        Ok(Self {
            global,
            local,
            late: Some(late),
            standby,
        })
    }

    /// Opens both, for a command.
    ///
    /// # Errors
    /// Why one of them cannot be opened; the other is closed.
    pub async fn open(config: &Config, mode: Mode) -> Result<Self> {
        let settings = &config.stores;
        let local = open(&settings.local, &config.data_dir, mode).await?;
        if settings.global == settings.local {
            return Ok(Self::one(local));
        }
        match open(&settings.global, &config.data_dir, mode).await {
            Ok(global) => Ok(Self {
                global,
                local,
                late: None,
                standby: None,
            }),
            Err(error) => {
                local.close().await;
                Err(error)
            }
        }
    }

    /// Whether both are the same.
    pub fn is_one(&self) -> bool {
        Arc::ptr_eq(&self.global, &self.local)
    }

    /// The task that opens a global store that was out of reach, if there is need for one.
    pub fn keep_trying(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.late.clone().map(Late::keep_trying)
    }

    /// The replica of the global scope, where the global store is on a server.
    pub fn replica(&self) -> Option<&Replica> {
        self.standby.as_deref().map(|standby| &**standby.replica())
    }

    /// Reads that the replica answered because the global store was away.
    pub fn fell_back(&self) -> u64 {
        self.standby
            .as_ref()
            .map_or(0, |standby| standby.fell_back())
    }

    /// Closes both.
    pub async fn close(&self) {
        self.local.close().await;
        if !self.is_one() {
            self.global.close().await;
        }
    }

    fn one(store: Arc<dyn Engine>) -> Self {
        Self {
            global: Arc::clone(&store),
            local: store,
            late: None,
            standby: None,
        }
    }
}

/// Opens one store.
///
/// # Errors
/// Why it cannot be opened; no secret is in it.
pub(super) async fn open(
    settings: &StoreSettings,
    directory: &DataDir,
    mode: Mode,
) -> Result<Arc<dyn Engine>> {
    match kind(&settings.url) {
        Some(kind) => (kind.open)(settings, directory, mode).await,
        None => Err(Error::Invalid(format!(
            "{} is no store that is known",
            settings.url.scheme()
        ))),
    }
}

/// The name of the engine of a URL.
pub(super) fn engine(url: &StoreUrl) -> &'static str {
    let names = kind(url).map_or(&[][..], |kind| kind.names);
    let named = names.iter().find(|name| **name == url.scheme());
    named.copied().unwrap_or("unknown")
}
