use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use super::{
    exit::Exit,
    location::{Fix, Location},
    status::{explain, runtime},
    terminal,
};
use crate::{
    status::{AdminClient, NodeFile, Report, VerdictState},
    trust::secrets,
};

/// From one look at the node to the next.
const INTERVAL: Duration = Duration::from_millis(200);

const AFTER: &str = "\
The prefixes are announced with GRACEFUL_SHUTDOWN (RFC 8326) first, so that the
network prefers other nodes while this one still answers; then they are
withdrawn, requests in flight are finished, and the sessions are closed. The
process goes on running. The node stays out of service, also when the process or
the machine starts again, until --undo takes it back. SIGTERM drains, too, and
ends the process afterwards, without staying out of service.

Examples:
  metal-edge drain && apt-get upgrade && metal-edge drain --undo
  metal-edge drain --timeout 5m

Exit codes: 0 drained (or back in service), 1 not within the time, or the node
cannot be asked.";

/// Take the running node out of service without losing a request
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Drain {
    #[command(flatten)]
    location: Location,
    /// Take it back into service
    #[arg(long)]
    undo: bool,
    /// Wait for so long at most; the node goes on draining afterwards
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

pub(super) fn run(arguments: &Drain) -> anyhow::Result<Exit> {
    let (directory, node) = arguments.location.running()?;
    let token = token(&directory.admin_token())?;
    runtime()?.block_on(drain(&node, &token, arguments))
}

pub(super) fn token(path: &Path) -> anyhow::Result<String> {
    secrets::load(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .context(Fix(
            "run this as the user that the node runs as, or as root",
        ))
}

async fn drain(node: &NodeFile, token: &str, arguments: &Drain) -> anyhow::Result<Exit> {
    let client = AdminClient::new(node.admin)?;
    client
        .drain(arguments.undo, token)
        .await
        .map_err(|error| explain(error, node))?;
    let end = Instant::now() + arguments.timeout;
    let mut shown = String::new();
    loop {
        let report = client
            .status()
            .await
            .map_err(|error| explain(error, node))?;
        let stage = stage(&report);
        if stage != shown {
            terminal::remark(&stage);
            shown = stage;
        }
        if is_there(&report, arguments.undo) {
            return Ok(Exit::OK);
        }
        if Instant::now() >= end {
            terminal::remark(&format!(
                "error: not done after {}; the node goes on: see `metal-edge status`",
                humantime::format_duration(arguments.timeout)
            ));
            return Ok(Exit::ERROR);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// One line on how far the node is.
fn stage(report: &Report) -> String {
    let verdict = &report.verdict;
    let announcement = report.announcement.state.as_str();
    let mut line = format!("{}, announcement {announcement}", verdict.state.as_str());
    if !verdict.why.is_empty() {
        line += &format!(": {}", verdict.why);
    }
    line
}

fn is_there(report: &Report, undo: bool) -> bool {
    match report.verdict.state {
        VerdictState::Drained => !undo,
        VerdictState::Draining => false,
        // Back in service as far as an operator can do it; whether it is
        // healthy is another question.
        VerdictState::Healthy | VerdictState::Degraded | VerdictState::Down => undo,
    }
}
