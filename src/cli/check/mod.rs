//! `metal-edge check`: would a node run well here, and if not, why?

mod address;
mod certificate;
mod clock;
mod configuration;
mod descriptors;
mod finding;
mod peers;
mod ports;
mod render;
mod store;

use clap::Args;

use self::finding::{Group, Outcome};
use super::{
    exit::Exit,
    location::Location,
    status::{Output, runtime},
    terminal,
};
use crate::{
    config::Config,
    status::{AdminClient, NodeFile, Report},
};

const AFTER: &str = "\
Looks at the configuration, the anycast addresses, ports, certificate, store,
peers, clock and file descriptors. Starts nothing and changes nothing; beside a
running node it checks what that node holds. Run it as the user that the node
runs as.

Examples:
  metal-edge check --config /etc/metal-edge/metal-edge.toml
  metal-edge check -o json | jq '.groups[].checks[] | select(.outcome == \"failed\")'

Exit codes: 0 nothing failed (there may be warnings), 1 something failed.";

/// Check that a node can run here: each failure with its cause and its fix
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Check {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What the checks look at.
struct Subject {
    config: Config,
    /// The node that runs on the data directory.
    node: Option<NodeFile>,
    /// What it says, where it answers.
    report: Option<Report>,
}

pub(super) fn run(arguments: &Check) -> anyhow::Result<Exit> {
    let groups = match arguments.location.load(vec![]) {
        Err(problems) => vec![configuration::refused(&problems)],
        Ok(loaded) => {
            let mut groups = vec![configuration::accepted(&loaded)];
            groups.extend(runtime()?.block_on(look(loaded.config)));
            groups
        }
    };
    match arguments.output {
        Output::Text => terminal::print(&render::text(&groups, terminal::colour()))?,
        Output::Json => terminal::print(&render::json(&groups)?)?,
    }
    let failed = |group: &Group| group.checks.iter().any(|it| it.outcome == Outcome::Failed);
    Ok(if groups.iter().any(failed) {
        Exit::ERROR
    } else {
        Exit::OK
    })
}

async fn look(config: Config) -> Vec<Group> {
    let node = NodeFile::read(&config.data_dir).ok();
    let report = match node.as_ref().map(|node| AdminClient::new(node.admin)) {
        Some(Ok(client)) => client.status().await.ok(),
        _ => None,
    };
    let subject = Subject {
        config,
        node,
        report,
    };
    vec![
        address::check(&subject),
        ports::check(&subject),
        certificate::check(&subject),
        store::check(&subject).await,
        peers::check(&subject).await,
        clock::check(&subject),
        descriptors::check(&subject),
    ]
}
