use axum::http::StatusCode;
use clap::{Args, ValueEnum};

use super::{
    exit::Exit,
    location::{Fix, Location},
    terminal,
};

use crate::{
    clock,
    status::{AdminClient, AdminError, NodeFile, Report, render},
};

const AFTER: &str = "\
Examples:
  metal-edge status
  metal-edge status -o json | jq -r .verdict.state
  watch -n1 metal-edge status

Exit codes: 0 the node is fit to serve (healthy or degraded), 3 it is not (down,
draining, drained, or a verdict that nobody renews), 1 it cannot be asked.";

/// Show the running node: verdict, announcement, peers, store, certificate
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Status {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) fn run(arguments: &Status) -> anyhow::Result<Exit> {
    let (_, node) = arguments.location.running()?;
    let report = runtime()?.block_on(ask(&node))?;
    match arguments.output {
        Output::Text => terminal::print(&render(&report, clock::wall(), terminal::colour()))?,
        Output::Json => terminal::print(&(serde_json::to_string_pretty(&report)? + "\n"))?,
    }
    let fit = report.verdict.state.is_serving() && report.verdict.valid_until_ms > 0;
    Ok(if fit { Exit::OK } else { Exit::UNHEALTHY })
}

/// The running node's report on itself.
pub(super) async fn ask(node: &NodeFile) -> anyhow::Result<Report> {
    let client = AdminClient::new(node.admin)?;
    client.status().await.map_err(|error| explain(error, node))
}

/// An error of the admin listener, with what can be done about it.
pub(super) fn explain(error: AdminError, node: &NodeFile) -> anyhow::Error {
    let fix = match &error {
        AdminError::Timeout(_) => "the process hangs: see its log, and restart the node",
        AdminError::Refused(_) => {
            "another node listens there: name the right directory with --data-dir"
        }
        AdminError::Connect(..) | AdminError::Http(..) => {
            "the node is starting or stopping: try again, and see its log"
        }
        AdminError::Status(_, StatusCode::SERVICE_UNAVAILABLE, _) => {
            "see with `metal-edge status` which store does not answer, and try again"
        }
        AdminError::NotLoopback(_) | AdminError::Body(..) | AdminError::Status(..) => {
            "another version or program listens there: see the log of the node"
        }
    };
    anyhow::Error::new(error)
        .context(format!("cannot ask the node (pid {})", node.pid))
        .context(Fix(fix))
}

/// For commands that ask a question or two.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
