use anyhow::{Context, anyhow};
use clap::Args;
use metal_bgp::withdraw_all;

use crate::cli::{
    exit::Exit,
    location::{Fix, Location},
    status::runtime,
    terminal,
};
use crate::node;

const AFTER: &str = "\
A daemon that announces for a node (bgp.daemon) keeps what it was told when the
node's process is killed. The guard of `metal-edge serve` calls this when the
process ended, and so does ExecStopPost= of the systemd unit. Own sessions need
none of it: they end with the process, and their routes with them.

Example:
  metal-edge bgp withdraw --config /etc/metal-edge/metal-edge.toml";

/// Delete from the external BGP daemon what a killed node has left there
///
/// Deletes every path to a prefix of bgp.announce that was put in over the
/// daemon's API. A node that runs puts its own back within a second.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(in crate::cli) struct Withdraw {
    #[command(flatten)]
    location: Location,
}

pub(super) fn run(arguments: &Withdraw) -> anyhow::Result<Exit> {
    let loaded = arguments.location.load(vec![])?;
    let bgp = loaded.config.bgp.as_ref();
    let Some(daemon) = bgp.and_then(node::daemon) else {
        terminal::remark("no bgp.daemon is configured: nothing to withdraw");
        return Ok(Exit::OK);
    };
    let gone = runtime()?
        .block_on(withdraw_all(&daemon))
        .map_err(|sentence| anyhow!(sentence))
        .context("cannot withdraw through the BGP daemon")
        .context(Fix("see that it runs, and that bgp.daemon is its address"))?;
    for prefix in &gone {
        terminal::print(&format!("withdrawn {prefix}\n"))?;
    }
    if gone.is_empty() {
        terminal::remark("the daemon had none of our prefixes");
    }
    Ok(Exit::OK)
}
