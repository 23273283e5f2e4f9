use clap::Args;

use crate::{
    cli::{
        drain::token,
        exit::Exit,
        location::Location,
        status::{Output, explain, runtime},
        terminal,
    },
    status::AdminClient,
};

const AFTER: &str = "\
The running node reads every network, address, claim, block, VRF and pool of all
scopes and says what does not agree; it changes nothing. Others may change
things meanwhile: only what is wrong for some time is named. What a crash left
unfinished is mended when the node starts, and within a few minutes after.

Examples:
  metal-edge ipam fsck
  metal-edge ipam fsck -o json | jq length

Exit codes: 0 all agrees, 1 it does not, or could not be read.";

/// Prove that pools, addresses, networks, claims, blocks and VRFs agree
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Fsck {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) fn run(arguments: &Fsck) -> anyhow::Result<Exit> {
    let (directory, node) = arguments.location.running()?;
    let token = token(&directory.admin_token())?;
    let client = AdminClient::new(node.admin)?;
    let findings = runtime()?.block_on(client.fsck(&token));
    let findings = findings.map_err(|error| explain(error, &node))?;
    match arguments.output {
        Output::Text => {
            for finding in &findings {
                terminal::print(&format!("{}: {}\n", finding.scope, finding.what))?;
            }
            terminal::remark(&match findings.len() {
                0 => "all agrees".to_owned(),
                1 => "1 finding".to_owned(),
                n => format!("{n} findings"),
            });
        }
        Output::Json => terminal::print(&(serde_json::to_string_pretty(&findings)? + "\n"))?,
    }
    Ok(match findings.is_empty() {
        true => Exit::OK,
        false => Exit::ERROR,
    })
}
