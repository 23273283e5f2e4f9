use clap::Args;

use super::stopped::{self, Stopped};
use crate::{
    cli::{exit::Exit, location::Location, status::runtime, terminal},
    stores::{Engine, Mode, Stores},
};

const AFTER: &str = "\
A node does this by itself when it starts; several may at once. Do it beforehand
to see that it works, or where the node's user may not change tables.

Example:
  metal-edge store migrate --config /etc/metal-edge/metal-edge.toml";

/// Bring the stores to the format of this version
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Migrate {
    #[command(flatten)]
    location: Location,
}

pub(super) fn run(arguments: &Migrate) -> anyhow::Result<Exit> {
    let config = stopped::config(&arguments.location)?;
    stopped::refuse_running(&config, "it has migrated its stores when it started")?;
    runtime()?.block_on(async {
        let stopped = Stopped::open(config, Mode::Migrate).await?;
        let text = shown(&stopped.stores).await;
        stopped.close().await;
        terminal::print(&text)?;
        Ok(Exit::OK)
    })
}

async fn shown(stores: &Stores) -> String {
    if stores.is_one() {
        return line("global and local", &*stores.local).await;
    }
    line("local", &*stores.local).await + &line("global", &*stores.global).await
}

async fn line(role: &str, store: &dyn Engine) -> String {
    let place = store.facts().await.place;
    let engine = store.engine();
    format!("{role}: {engine} at {place} is of this version\n")
}
