//! `metal-edge bgp`: what a network engineer asks for.

mod show;

mod withdraw;

use clap::{Args, Subcommand};

use self::show::Show;
use super::exit::Exit;

const AFTER: &str = "\
Examples:
  metal-edge bgp peers
  metal-edge bgp routes -o json | jq '.[].communities'
  metal-edge bgp log
  metal-edge bgp withdraw --config /etc/metal-edge/metal-edge.toml";

/// Show what is announced over BGP, to whom, and what happened
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Bgp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the sessions: state, timers, BFD, counters, the last error, and which prefixes the leaf
    /// does not send here
    Peers(Show),
    /// Show what each peer was told, with the attributes that it sees
    Routes(Show),
    /// Show what happened lately: states, NOTIFICATIONs, announcements
    ///
    /// The last 64 events of each peer since the process was started.
    Log(Show),
    Withdraw(withdraw::Withdraw),
}

pub(super) fn run(arguments: &Bgp) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Peers(arguments) => show::peers(arguments),
        Command::Routes(arguments) => show::routes(arguments),
        Command::Log(arguments) => show::log(arguments),
        Command::Withdraw(arguments) => withdraw::run(arguments),
    }
}
