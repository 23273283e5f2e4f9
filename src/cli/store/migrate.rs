use clap::Args;

use super::stopped::{self, Stopped};
use crate::{
    cli::{exit::Exit, location::Location, status::runtime, terminal},
    stores::{Mode, Stores},
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
        let text = shown(&stopped.stores);
        stopped.close().await;
        terminal::print(&text)?;
        Ok(Exit::OK)
    })
}

fn shown(stores: &Stores) -> String {
    let line = |role: &str, facts: crate::stores::Facts| {
        format!(
            "{role}: {} {} at {} is of this version\n",
            facts.engine, facts.version, facts.place
        )
    };
    if stores.is_one() {
        return line("global and local", stores.local.facts());
    }
    line("local", stores.local.facts()) + &line("global", stores.global.facts())
}
