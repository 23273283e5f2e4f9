use clap::Args;
use indicatif::HumanBytes;

use super::stopped::{self, Stopped};
use crate::{
    cli::{
        exit::Exit,
        location::Location,
        status::{Output, explain, runtime},
        terminal,
    },
    status::{AdminClient, NodeFile},
    stores::{self, Mode, info},
};

const AFTER: &str = "\
Asks the running node; without one, opens the stores.

Examples:
  metal-edge store info
  metal-edge store info -o json | jq '.scopes[].revision'";

/// Show the engine, version, place and size of the stores, and their scopes' revisions
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Info {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) fn run(arguments: &Info) -> anyhow::Result<Exit> {
    let directory = arguments.location.data_dir()?;
    let info = runtime()?.block_on(async {
        match NodeFile::read(&directory) {
            Ok(node) => {
                let client = AdminClient::new(node.admin)?;
                client.stores().await.map_err(|error| explain(error, &node))
            }
            Err(_) => {
                let config = stopped::config(&arguments.location)?;
                let stopped = Stopped::open(config, Mode::AsItIs).await?;
                let parts = stores::known_parts(&stopped.config, &stopped.stores).await?;
                let info = info::Info::of(&stopped.stores, &parts).await;
                drop(parts);
                stopped.close().await;
                Ok(info)
            }
        }
    })?;
    match arguments.output {
        Output::Text => terminal::print(&text(&info))?,
        Output::Json => terminal::print(&(serde_json::to_string_pretty(&info)? + "\n"))?,
    }
    let read = info.scopes.iter().all(|scope| scope.error.is_none());
    Ok(if read { Exit::OK } else { Exit::ERROR })
}

fn text(info: &info::Info) -> String {
    let mut text = String::new();
    for store in &info.stores {
        text += &format!("{:<18} {}", store.role, store.engine);
        if let Some(version) = &store.version {
            text += &format!(" {version}");
        }
        if let Some(bytes) = store.bytes {
            text += &format!(", {}", HumanBytes(bytes));
        }
        text += &format!(", {}\n", store.place);
    }
    for scope in &info.scopes {
        let state = match (&scope.revision, &scope.error) {
            (Some(revision), _) => format!("revision {revision}"),
            (None, error) => error.clone().unwrap_or_default(),
        };
        text += &format!("{:<18} {state}\n", scope.scope);
    }
    text
}
