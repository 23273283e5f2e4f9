//! `metal-edge store`: what is stored, as a whole.

mod backup;
mod info;
mod migrate;
mod place;
mod progress;
mod restore;
mod stopped;

use clap::{Args, Subcommand};

use super::exit::Exit;

const AFTER: &str = "\
Examples:
  metal-edge store backup /var/backups/metal-edge.backup
  metal-edge store backup s3://backups/fra/2026-11-22 --s3-endpoint https://s3.example.net
  metal-edge store restore /var/backups/metal-edge.backup
  metal-edge store info -o json | jq '.scopes[].revision'

From one engine to another (one partition to many): back up, stop the node,
change store.global in its configuration, restore with --scope global, start it.

Exit codes: 0 done, 1 not; what was not done is said.";

/// Back up, restore, migrate and describe the stores
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Store {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Backup(backup::Backup),
    Restore(restore::Restore),
    Migrate(migrate::Migrate),
    Info(info::Info),
}

pub(super) fn run(arguments: &Store) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Backup(arguments) => backup::run(arguments),
        Command::Restore(arguments) => restore::run(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Info(arguments) => info::run(arguments),
    }
}
