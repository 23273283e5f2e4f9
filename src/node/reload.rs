//! Another configuration without a restart.
//!
//! SIGHUP reads the sources again. What `[bgp]` says of peers, prefixes and their attributes takes
//! effect at once, and sessions that it does not touch stay. Whatever else differs is named in the
//! log: it takes a restart.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::speaker;
use crate::announce::{Driver, Policy};
use crate::config::{Config, Loaded, Setting, Sources};
use crate::metrics::Metrics;

/// Keys of `[bgp]` that a running node cannot change.
const FIXED: [&str; 4] = [
    "bgp.daemon",
    "bgp.manage-addresses",
    "bgp.next-hop-v4",
    "bgp.next-hop-v6",
];

/// Reads the configuration again when it is told to.
pub struct Reload {
    sources: Sources,
    /// What is in effect, as far as it can change.
    settings: Vec<Setting>,
    announcing: Option<(Arc<Driver>, watch::Sender<Policy>)>,
    metrics: Arc<Metrics>,
}

// === impl Reload ===

impl Reload {
    /// From these sources, which gave `loaded`.
    pub fn new(sources: Sources, loaded: &Loaded, metrics: Arc<Metrics>) -> Self {
        Self {
            sources,
            settings: loaded.settings(),
            announcing: None,
            metrics,
        }
    }

    /// With what can be told of another `[bgp]`.
    #[must_use]
    pub fn announcing(mut self, driver: Arc<Driver>, policies: watch::Sender<Policy>) -> Self {
        self.announcing = Some((driver, policies));
        self
    }

    /// Waits for SIGHUP, again and again.
    pub async fn run(mut self) {
        let mut hangups = match signal(SignalKind::hangup()) {
            Ok(hangups) => hangups,
            Err(error) => {
                tracing::error!(%error, "SIGHUP will not be heard");
                return std::future::pending().await;
            }
        };
        while hangups.recv().await.is_some() {
            match self.reload().await {
                Ok(()) => {
                    self.metrics.config_reloaded();
                    tracing::info!("the configuration was read again");
                }
                Err(error) => {
                    self.metrics.config_reload_failed();
                    let error = format!("{error:#}");
                    tracing::error!(error, "the configuration stays as it was");
                }
            }
        }
        std::future::pending().await
    }

    async fn reload(&mut self) -> anyhow::Result<()> {
        let sources = self.sources.clone();
        // It reads files.
        let loaded = tokio::task::spawn_blocking(move || Config::load(&sources));
        let loaded = loaded.await??;
        for warning in &loaded.warnings {
            tracing::warn!(%warning, "the configuration");
        }
        self.apply(&loaded.config).context("bgp")?;
        self.name_the_rest(&loaded);
        Ok(())
    }

    fn apply(&self, config: &Config) -> anyhow::Result<()> {
        let Some((driver, policies)) = &self.announcing else {
            return Ok(());
        };
        let Some(bgp) = &config.bgp else {
            anyhow::bail!("the section is gone; to announce nothing any more takes a restart");
        };
        let policy = Policy::new(&bgp.announce, &bgp.levels, &bgp.exceptions)?;
        match &**driver {
            Driver::Own(own) => own.reconfigure(speaker::config(bgp)?)?,
            Driver::Daemon(daemon) => daemon.set_prefixes(bgp.announce.clone()),
        }
        policies.send_replace(policy);
        Ok(())
    }

    /// Says what has changed and is not in effect.
    fn name_the_rest(&mut self, loaded: &Loaded) {
        let settings = loaded.settings();
        let live = |key: &str| {
            self.announcing.is_some() && key.starts_with("bgp.") && !FIXED.contains(&key)
        };
        let value = |settings: &[Setting], key: &str| {
            let found = settings.iter().find(|setting| setting.key == key);
            found.map(|setting| setting.value.clone())
        };
        let mut keys: Vec<&str> = settings
            .iter()
            .chain(&self.settings)
            .map(|setting| setting.key.as_str())
            .filter(|key| !live(key))
            .filter(|key| value(&settings, key) != value(&self.settings, key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            let keys = keys.join(", ");
            tracing::warn!(keys, "changed, and takes effect with a restart");
        }
    }
}
