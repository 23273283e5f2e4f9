//! `metal-edge ipam`: networks and addresses, as a whole.

mod blocks;
mod fsck;
mod revoke;

use clap::{Args, Subcommand};

use super::exit::Exit;

const AFTER: &str = "\
A network of all partitions is cut into blocks. Each belongs to one partition,
which hands out its addresses by itself, also while it is cut off from the rest.
A partition claims another block before it has none left, and gives back what
it does not need. A network of one partition has no blocks.

Examples:
  metal-edge ipam blocks
  metal-edge ipam fsck

Exit codes: 0 all is well, 1 it is not, or could not be asked.";

/// Check address pools, and show and revoke blocks of global networks
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Ipam {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Blocks(blocks::Blocks),
    Fsck(fsck::Fsck),
    Revoke(revoke::Revoke),
}

pub(super) fn run(arguments: &Ipam) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Blocks(arguments) => blocks::run(arguments),
        Command::Fsck(arguments) => fsck::run(arguments),
        Command::Revoke(arguments) => revoke::run(arguments),
    }
}
