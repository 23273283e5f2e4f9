//! The stores of a node that does not run.

use anyhow::{Context, bail};

use crate::{
    cli::location::{Fix, Location},
    config::Config,
    node::data_dir::{self, Lock},
    status::NodeFile,
    stores::{Mode, Stores},
};

/// Both stores, and the data directory, which no node can be started on meanwhile.
pub(super) struct Stopped {
    pub(super) config: Config,
    pub(super) stores: Stores,
    _lock: Lock,
}

// === impl Stopped ===

impl Stopped {
    pub(super) async fn open(config: Config, mode: Mode) -> anyhow::Result<Self> {
        let directory = config.data_dir.path();
        if mode == Mode::AsItIs && !directory.exists() {
            let error = anyhow::anyhow!("no node has run on {}", directory.display());
            bail!(error.context(Fix("name its directory with --data-dir")));
        }
        let lock = data_dir::acquire(&config.data_dir)?;
        let stores = Stores::open(&config, mode)
            .await
            .context("cannot open the stores")
            .context(Fix("`metal-edge check` says what to do"))?;
        Ok(Self {
            config,
            stores,
            _lock: lock,
        })
    }

    pub(super) async fn close(self) {
        self.stores.close().await;
    }
}

/// The configuration, with the files that it names.
pub(super) fn config(location: &Location) -> anyhow::Result<Config> {
    let loaded = location
        .load(vec![])
        .context("the configuration is not valid")?;
    Ok(loaded.config)
}

/// Refuses while a node runs on the data directory.
pub(super) fn refuse_running(config: &Config, what: &str) -> anyhow::Result<()> {
    if let Ok(node) = NodeFile::read(&config.data_dir) {
        let error = anyhow::anyhow!("the node runs, pid {}: {what}", node.pid);
        bail!(error.context(Fix("stop it first")));
    }
    Ok(())
}
