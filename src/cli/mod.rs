//! The command line, a file per subcommand. Data goes to standard output,
//! everything else to standard error.

mod args;
mod bgp;
mod check;
mod completions;
mod config;
mod drain;
mod env;
mod exit;
mod ipam;
mod location;
mod serve;
mod status;
mod store;
mod table;
mod terminal;
mod version;

use std::process::ExitCode;

use crate::log;
use clap::Parser;

pub use self::args::Arguments;
use self::args::Command;
use self::exit::Exit;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // Prints help and usage errors itself; the latter exit with 2.
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        // The guard's parent must have no runtime.
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Env(arguments) => env::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Store(arguments) => store::run(&arguments),
        Command::Ipam(arguments) => ipam::run(&arguments),
        Command::Bgp(arguments) => bgp::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Version => version::run(),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    log::finish();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::error(&error);
            Exit::ERROR.into()
        }
    }
}
