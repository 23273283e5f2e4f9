use clap::{Parser, Subcommand};

use super::{bgp, check, completions, config, drain, env, ipam, serve, status, store};

const AFTER: &str = "\
Try it:
  metal-edge serve                          # terminal 1
  eval \"$(metal-edge env)\" && metalctl size list   # terminal 2

Configuration: --config FILE, else $METAL_EDGE_CONFIG, else
/etc/metal-edge/metal-edge.toml, else embedded defaults. Every setting can be
given in the environment: METAL_EDGE_ and its key in capitals, with '_' for '.'
and '-'; listen.max-body is METAL_EDGE_LISTEN_MAX_BODY. Lists are separated by
commas, peers are METAL_EDGE_BGP_PEER='[{address = \"10.0.0.254\", asn = 4210000001}]'.
Flags win over the environment, the environment wins over the file.

Exit codes: 0 ok, 1 error (also: a check failed), 2 usage, 3 the node is not
fit to serve. Data is written to standard output, all else to standard error.
Colour is used on a terminal only, and never with NO_COLOR set.";

/// The metal-stack control plane of a partition, behind one anycast address.
///
/// Runs on every server of a partition: announces the anycast address to the
/// leaf switches over BGP, serves metal-api v1 over HTTPS on it, and withdraws
/// the address when it is not fit to serve.
#[derive(Debug, Parser)]
#[command(name = "metal-edge", version, after_help = AFTER, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Serve(serve::Serve),
    Env(env::Env),
    Status(status::Status),
    Check(check::Check),
    Drain(drain::Drain),
    Store(store::Store),
    Ipam(ipam::Ipam),
    Bgp(bgp::Bgp),
    Config(config::Config),
    /// Print the version
    Version,
    Completions(completions::Completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommand_teaches_by_example() {
        for command in Arguments::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            let plain = matches!(command.get_name(), "version");
            assert!(
                plain || command.get_after_help().is_some(),
                "{}",
                command.get_name()
            );
        }
    }
}
