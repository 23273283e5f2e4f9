use clap::Args;

use crate::{
    api::space::BlockInfo,
    cli::{
        exit::Exit,
        location::Location,
        status::{Output, explain, runtime},
        table::table,
        terminal,
    },
    status::AdminClient,
};

const AFTER: &str = "\
Examples:
  metal-edge ipam blocks
  metal-edge ipam blocks -o json | jq -r '.[] | select(.used == 0) | .id'";

/// Show which partition hands out which addresses of the global networks
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Blocks {
    #[command(flatten)]
    location: Location,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) fn run(arguments: &Blocks) -> anyhow::Result<Exit> {
    let (_, node) = arguments.location.running()?;
    let client = AdminClient::new(node.admin)?;
    let blocks = runtime()?.block_on(client.blocks());
    let blocks = blocks.map_err(|error| explain(error, &node))?;
    terminal::print(&match arguments.output {
        Output::Text => text(&blocks),
        Output::Json => serde_json::to_string_pretty(&blocks)? + "\n",
    })?;
    Ok(Exit::OK)
}

fn text(blocks: &[BlockInfo]) -> String {
    let row = |block: &BlockInfo| {
        [
            block.network.clone(),
            block.partition.clone(),
            block.first.clone(),
            block.last.clone(),
            block.addresses.to_string(),
            block.used.map_or("?".into(), |used| used.to_string()),
            block.id.clone(),
        ]
    };
    let rows: Vec<_> = blocks.iter().map(row).collect();
    let head = [
        "network",
        "partition",
        "first",
        "last",
        "addresses",
        "used",
        "block",
    ];
    table(head, &rows)
}
