use clap::Args;

use crate::{
    cli::{
        drain::token,
        exit::Exit,
        location::{Fix, Location},
        status::{explain, runtime},
        terminal,
    },
    status::{AdminClient, AdminError},
};

const AFTER: &str = "\
What is free of the block goes back to its network, for any partition to claim;
what is handed out stays with the owner, in smaller blocks. Nothing tells the
owner at once: were it to hand out an address meanwhile, another partition could
hand out the same. So make sure first that it cannot: switch its nodes off, or
cut them from the network, and say so with --fenced. When it comes back, it
keeps what is its own, and names in its log what it should not have handed out.

Examples:
  metal-edge ipam blocks
  metal-edge ipam revoke --fenced 4/000000000000000000000000cb007103";

/// Take what is free of a block from a partition that is gone
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Revoke {
    #[command(flatten)]
    location: Location,
    /// The owner hands out nothing any more, I have seen to that
    #[arg(long)]
    fenced: bool,
    /// The block, as `metal-edge ipam blocks` names it
    block: String,
}

pub(super) fn run(arguments: &Revoke) -> anyhow::Result<Exit> {
    if !arguments.fenced {
        return Err(anyhow::anyhow!(
            "the owner of {} may hand out its addresses",
            arguments.block
        )
        .context(Fix(
            "switch the owner's nodes off or cut them from the network, then say --fenced",
        )));
    }
    let (directory, node) = arguments.location.running()?;
    let token = token(&directory.admin_token())?;
    let client = AdminClient::new(node.admin)?;
    let freed = runtime()?.block_on(client.revoke(&arguments.block, &token));
    let freed = freed.map_err(|error| match error {
        AdminError::Status(_, status, why) if status.is_client_error() => {
            anyhow::anyhow!("{}", why.trim())
                .context("the block is not revoked")
                .context(Fix("see what there is: metal-edge ipam blocks"))
        }
        error => explain(error, &node),
    })?;
    terminal::remark(&format!(
        "revoked: {freed} addresses are the network's again"
    ));
    Ok(Exit::OK)
}
