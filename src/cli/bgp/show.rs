use clap::Args;

use super::super::table::table;
use crate::cli::{
    exit::Exit,
    location::Location,
    status::{Output, explain, runtime},
    terminal,
};
use crate::status::{AdminClient, BgpReport};

/// Which node, and how to show it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

// === impl Show ===

impl Show {
    fn ask(&self) -> anyhow::Result<BgpReport> {
        let (_, node) = self.location.running()?;
        runtime()?.block_on(async {
            let client = AdminClient::new(node.admin)?;
            client.bgp().await.map_err(|error| explain(error, &node))
        })
    }

    fn print<T: serde::Serialize>(&self, rows: &T, text: String) -> anyhow::Result<Exit> {
        match self.output {
            Output::Text => terminal::print(&text)?,
            Output::Json => terminal::print(&(serde_json::to_string_pretty(rows)? + "\n"))?,
        }
        Ok(Exit::OK)
    }
}

/// One line per session, and below them those for last errors and notices.
pub(super) fn peers(arguments: &Show) -> anyhow::Result<Exit> {
    let peers = arguments.ask()?.peers;
    let time = |at: &chrono::DateTime<chrono::Utc>| at.format("%F %T").to_string();
    let rows: Vec<_> = peers
        .iter()
        .map(|peer| {
            [
                peer.name.clone(),
                peer.asn.clone(),
                peer.state.clone(),
                time(&peer.since),
                shown(peer.hold_time.map(|seconds| format!("{seconds}s"))),
                shown(peer.bfd.clone()),
                peer.prefixes.to_string(),
                format!("{}/{}", peer.updates_sent, peer.updates_received),
                peer.flaps.to_string(),
            ]
        })
        .collect();
    let head = [
        "peer",
        "as",
        "state",
        "since (UTC)",
        "hold",
        "bfd",
        "prefixes",
        "updates out/in",
        "flaps",
    ];
    let mut text = table(head, &rows);
    for peer in &peers {
        if let Some(error) = &peer.last_error {
            let at = peer.last_error_at.as_ref().map(time).unwrap_or_default();
            text += &format!("{} {at}: {error}\n", peer.name);
        }
        if let Some(notice) = &peer.notice {
            text += &format!("{}: {notice}\n", peer.name);
        }
    }
    arguments.print(&peers, text)
}

/// One line per prefix and peer.
pub(super) fn routes(arguments: &Show) -> anyhow::Result<Exit> {
    let routes = arguments.ask()?.routes;
    let rows: Vec<_> = routes
        .iter()
        .map(|route| {
            [
                route.peer.clone(),
                route.prefix.clone(),
                route.next_hop.clone(),
                shown(Some(route.as_path.clone()).filter(|path| !path.is_empty())),
                shown(route.med.map(|med| med.to_string())),
                shown(route.local_pref.map(|preference| preference.to_string())),
                route.communities.join(" "),
            ]
        })
        .collect();
    let head = [
        "peer",
        "prefix",
        "next hop",
        "path",
        "med",
        "local-pref",
        "communities",
    ];
    arguments.print(&routes, table(head, &rows))
}

/// One line per event, oldest first.
pub(super) fn log(arguments: &Show) -> anyhow::Result<Exit> {
    let log = arguments.ask()?.log;
    let text = log
        .iter()
        .map(|event| {
            let at = event.at.format("%F %T%.3f");
            format!("{at} {} {}\n", event.peer, event.event)
        })
        .collect();
    arguments.print(&log, text)
}

fn shown(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}
