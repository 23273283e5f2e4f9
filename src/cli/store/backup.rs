use anyhow::Context;
use clap::Args;
use metal_storage::{
    Scope,
    backup::{self, Compression, Options, Place, Progress, Step, Summary, Verifier},
};
use tokio::io::AsyncWriteExt;

use super::{
    place::PlaceArguments,
    progress::Shown,
    stopped::{self, Stopped},
};
use crate::{
    cli::{
        drain::token,
        exit::Exit,
        location::Location,
        status::{explain, runtime},
        terminal,
    },
    clock,
    edge::store_admin::{Request, by},
    schemas,
    status::{AdminClient, AdminError, NodeFile},
    stores::{self, Mode},
};

const AFTER: &str = "\
Nobody needs to stop writing: each scope is backed up as of one revision. A
running node makes the backup and sends it over its admin listener; without one,
the stores are opened directly. The file appears when it is complete, readable by
its owner alone; it holds everything, so keep it as safe as the store.

Examples:
  metal-edge store backup /var/backups/metal-edge.backup
  metal-edge store backup --scope global --no-compression ./global.backup
  AWS_SHARED_CREDENTIALS_FILE=/etc/metal-edge/s3 metal-edge store backup s3://backups/fra

It is lines of JSON: zstdcat FILE | head -1 | jq shows what it is.";

/// Write everything that is stored to a file or an S3 bucket
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Backup {
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    place: PlaceArguments,
    /// Back up this scope alone: global or partition/NAME; may be repeated
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<Scope>,
    /// Write plain lines
    #[arg(long)]
    no_compression: bool,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Backup) -> anyhow::Result<Exit> {
    let place = arguments.place.place()?;
    runtime()?.block_on(back_up(arguments, &place))
}

async fn back_up(arguments: &Backup, place: &Place) -> anyhow::Result<Exit> {
    let request = Request {
        scopes: arguments.scope.clone(),
        compression: match arguments.no_compression {
            true => Compression::None,
            false => Compression::Zstd,
        },
    };
    if !arguments.force && place.exists().await? {
        anyhow::bail!("{place} is there already: choose another name, or replace it with --force");
    }
    let mut sink = place.create().await?;
    let shown = Shown::new(None);
    let directory = arguments.location.data_dir()?;
    let made = match NodeFile::read(&directory) {
        Ok(node) => {
            let token = token(&directory.admin_token())?;
            from_running(&node, &token, &request, sink.writer(), &shown).await
        }
        Err(_) => from_stopped(arguments, &request, sink.writer(), &shown).await,
    };
    shown.done();
    let summary = match made {
        Ok(summary) => summary,
        Err(error) => {
            sink.abort().await;
            return Err(error.context("no backup was made"));
        }
    };
    sink.finish().await.context("no backup was made")?;
    report(&summary, place)?;
    Ok(Exit::OK)
}

type Writer<'a> = dyn tokio::io::AsyncWrite + Unpin + Send + 'a;

/// Has the running node make it, and checks what comes.
async fn from_running(
    node: &NodeFile,
    token: &str,
    request: &Request,
    writer: &mut Writer<'_>,
    shown: &Shown,
) -> anyhow::Result<Summary> {
    let client = AdminClient::new(node.admin)?;
    let mut verifier = Verifier::new();
    let path = request.path();
    let stream = client.stream(&path, token, async |bytes| {
        verifier.push(&bytes)?;
        writer.write_all(&bytes).await?;
        shown.tell(Progress {
            step: Step::BackUp,
            records: verifier.items(),
            bytes: verifier.bytes(),
        });
        Ok::<_, anyhow::Error>(())
    });
    stream.await.map_err(|error| match error.downcast() {
        Ok(AdminError::Http(..)) => {
            anyhow::anyhow!("the node broke off the backup: its log says why")
        }
        Ok(error) => explain(error, node),
        Err(error) => error,
    })?;
    Ok(verifier.finish()?)
}

async fn from_stopped(
    arguments: &Backup,
    request: &Request,
    writer: &mut Writer<'_>,
    shown: &Shown,
) -> anyhow::Result<Summary> {
    let stopped = Stopped::open(stopped::config(&arguments.location)?, Mode::AsItIs).await?;
    let mut parts = stores::parts(&stopped.config, &stopped.stores).await?;
    if let Some(scope) = request
        .scopes
        .iter()
        .find(|scope| !parts.iter().any(|part| part.scope == **scope))
    {
        anyhow::bail!("scope {scope} is not kept here");
    }
    request.select(&mut parts);
    let mut options = Options::new(by(), clock::wall().to_rfc3339());
    options.compression = request.compression;
    let tell = |progress| shown.tell(progress);
    let made = backup::backup(&parts, schemas::ALL, &options, writer, &tell).await;
    drop(parts);
    stopped.close().await;
    Ok(made?)
}

fn report(summary: &Summary, place: &Place) -> anyhow::Result<()> {
    let mut text = String::new();
    for scope in &summary.scopes {
        text += &format!(
            "{} as of revision {}: {} records, {} changes meanwhile\n",
            scope.scope, scope.revision, scope.records, scope.changes
        );
    }
    terminal::remark(text.trim_end());
    terminal::print(&format!("{place}: {} bytes\n", summary.bytes))
}
