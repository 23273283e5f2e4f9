use clap::Args;
use metal_storage::{
    Scope,
    backup::{self, Error, Place, RestoreOptions, Source},
};

use super::{
    place::PlaceArguments,
    progress::Shown,
    stopped::{self, Stopped},
};
use crate::{
    cli::{
        exit::Exit,
        location::{Fix, Location},
        status::runtime,
        terminal,
    },
    schemas,
    stores::{self, Mode},
};

const AFTER: &str = "\
The backup is read and verified whole before anything is changed, and verified
again while it is restored. The node must not run. A store that is not empty is
refused unless --replace is given, which deletes what is there.

Examples:
  metal-edge store restore /var/backups/metal-edge.backup
  metal-edge store restore --scope global s3://backups/fra/2026-11-22
  metal-edge store restore --replace ./metal-edge.backup";

/// Put a backup back, into any engine
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Restore {
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    place: PlaceArguments,
    /// Restore this scope alone: global or partition/NAME; may be repeated
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<Scope>,
    /// Delete what the store holds in these scopes
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(arguments: &Restore) -> anyhow::Result<Exit> {
    let place = arguments.place.place()?;
    let config = stopped::config(&arguments.location)?;
    stopped::refuse_running(&config, "it serves what would be replaced beneath it")?;
    runtime()?.block_on(async {
        let stopped = Stopped::open(config, Mode::Migrate).await?;
        let outcome = restore(arguments, &place, &stopped).await;
        stopped.close().await;
        outcome
    })
}

async fn restore(arguments: &Restore, place: &Place, stopped: &Stopped) -> anyhow::Result<Exit> {
    let parts = stores::own_parts(&stopped.config, &stopped.stores)?;
    let options = RestoreOptions {
        replace: arguments.replace,
        only: (!arguments.scope.is_empty()).then(|| arguments.scope.clone()),
        with_others: parts.last().map(|own| own.scope.clone()),
    };
    let shown = Shown::new(place.size().await);
    let tell = |progress| shown.tell(progress);
    let restored = backup::restore(place, &parts, schemas::ALL, &options, &tell).await;
    shown.done();
    let summary = restored.map_err(|error| explain(error, place))?;
    let wanted = |scope: &Scope| {
        options
            .only
            .as_ref()
            .is_none_or(|only| only.contains(scope))
    };
    for scope in summary.scopes.iter().filter(|found| wanted(&found.scope)) {
        terminal::remark(&format!(
            "{} restored, as it was at revision {}",
            scope.scope, scope.revision
        ));
    }
    terminal::print(&format!(
        "{place}: restored what {} wrote at {}\n",
        summary.header.by, summary.header.at
    ))?;
    Ok(Exit::OK)
}

fn explain(error: Error, place: &Place) -> anyhow::Error {
    let fix = match &error {
        Error::Foreign => Some("name a file that `metal-edge store backup` wrote"),
        Error::Truncated { .. } | Error::Damaged { .. } => {
            Some("take another copy of it, or an older backup")
        }
        Error::NotEmpty { .. } => {
            Some("restore into an empty store, or delete what is there with --replace")
        }
        Error::InPart { .. } => Some("remove the cause, and restore again with --replace"),
        Error::Scope(_) => Some(
            "restore the scopes that are kept here with --scope, or set partition to the backup's",
        ),
        Error::Newer { .. } | Error::Schema { .. } => {
            Some("restore it with that version of metal-edge, then upgrade")
        }
        _ => None,
    };
    let nothing = !matches!(error, Error::InPart { .. });
    let error = anyhow::Error::new(error);
    let error = match nothing {
        true => error.context(format!("nothing was restored from {place}")),
        false => error.context(format!("{place} was not restored whole")),
    };
    match fix {
        Some(fix) => error.context(Fix(fix)),
        None => error,
    }
}
