//! `metal-edge bgp`: what a network engineer asks for.

mod withdraw;

use clap::{Args, Subcommand};

use super::exit::Exit;

const AFTER: &str = "\
Examples:
  metal-edge bgp withdraw --config /etc/metal-edge/metal-edge.toml";

/// What is announced over BGP, and to whom
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Bgp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Withdraw(withdraw::Withdraw),
}

pub(super) fn run(arguments: &Bgp) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Withdraw(arguments) => withdraw::run(arguments),
    }
}
