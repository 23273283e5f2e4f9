use anyhow::Context;
use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{config, exit::Exit, location::Location};
use crate::{
    config::{Flag, Loaded, Sources},
    guard::{self, Duty, Heart},
    log,
};

const AFTER: &str = "\
Without a configuration it runs on this machine alone: state in the data
directory, its own CA and certificate, random keys, HTTPS on 127.0.0.1:8443, the
admin listener on 127.0.0.1:8081, partition dev, and no BGP peer.

Examples:
  metal-edge serve
  metal-edge serve --data-dir ./state --listen 127.0.0.1:9443 --admin 127.0.0.1:9081
  metal-edge serve --config /etc/metal-edge/metal-edge.toml

Signals: SIGTERM and SIGINT drain and stop; a second one stops at once. SIGHUP
reads the configuration again: peers, prefixes and their attributes take effect
at once, sessions that stay as they are are not touched, and the log names what
takes a restart.
Under systemd use Type=notify and WatchdogSec. Without it this process becomes a
small guard that starts the serving one, kills it when it hangs and starts it
again when it crashed; send signals to either. --no-guard is for debuggers.";

/// Serve: announce the address, answer the API, withdraw when not fit to
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Serve {
    #[command(flatten)]
    location: Location,
    /// Name of the partition [env: METAL_EDGE_PARTITION]
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Name of this node [env: METAL_EDGE_NODE]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// HTTPS addresses of the API, separated by commas [env: METAL_EDGE_LISTEN_API]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Address of the admin listener, on loopback [env: METAL_EDGE_LISTEN_ADMIN]
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin: Option<String>,
    /// A level or filter directives [env: METAL_EDGE_LOG_LEVEL]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// text or json [env: METAL_EDGE_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Run in one process that nobody kills when it hangs, for debuggers
    #[arg(long)]
    no_guard: bool,
}

// === impl Serve ===

impl Serve {
    fn flags(&self) -> Vec<Flag> {
        let flag = |name, key, value: &Option<String>| {
            let value = value.clone()?;
            Some(Flag { name, key, value })
        };
        [
            flag("--partition", "partition", &self.partition),
            flag("--node", "node", &self.node),
            flag("--listen", "listen.api", &self.listen),
            flag("--admin", "listen.admin", &self.admin),
            flag("--log-level", "log.level", &self.log_level),
            flag("--log-format", "log.format", &self.log_format),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Both the guard and the process that it guards come through here, so that a
/// bad configuration ends the command before anything is started.
pub(super) fn run(arguments: &Serve) -> anyhow::Result<Exit> {
    let loaded = arguments
        .location
        .load(arguments.flags())
        .context("the configuration is not valid; nothing was started")?;
    let config = &loaded.config;
    let colour = super::terminal::colour_of_errors();
    let mut guard = config.guard.clone();
    guard.enabled &= !arguments.no_guard;
    match guard::enter(&guard)? {
        Duty::Supervise(parent) => {
            log::start_without_thread(&config.log, colour);
            config::warn(&loaded);
            let parent = match config.bgp.as_ref().and_then(crate::node::daemon) {
                // The daemon keeps what a killed process has told it.
                Some(_) => parent.with_farewell(arguments.location.arguments(["bgp", "withdraw"])),
                None => parent,
            };
            Ok(Exit(parent.run()?))
        }
        Duty::Serve(heart) => {
            log::start(&config.log, colour);
            heart.warn();
            if !heart.is_guarded_by_parent() {
                config::warn(&loaded);
            }
            raise_descriptor_limit();
            let sources = arguments.location.sources(arguments.flags());
            serve(loaded, sources, heart)
        }
    }
}

fn serve(loaded: Loaded, sources: Sources, heart: Heart) -> anyhow::Result<Exit> {
    let config = &loaded.config;
    let file = loaded.file.as_ref().map(|file| file.display().to_string());
    tracing::info!(file, partition = %config.partition, node = %config.node, "configuration read");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(crate::node::run(loaded, sources, heart))?;
    Ok(Exit::OK)
}

/// A connection is a descriptor; the soft limit is low for the sake of programs
/// that use select(2), which this one does not.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
