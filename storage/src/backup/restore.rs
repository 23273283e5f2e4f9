use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::io::AsyncReadExt;

use super::error::{Error, Result};
use super::line::TableLine;
use super::pending::Pending;
use super::source::Source;
use super::verify::{Changed, Summary, Verifier};
use super::{OnProgress, Part, Progress, Step};
use crate::batch::{Batch, Write};
use crate::error::invalid;
use crate::limits::{BATCH_WRITES, PAGE_RECORDS};
use crate::name::Name;
use crate::query::Query;
use crate::schema::Schema;
use crate::scope::Scope;
use crate::snapshot::whole_page;
use crate::store::{BoxFuture, Store};

/// Bytes read at once.
const READ: usize = 64 * 1024;
/// Batches on their way to the store; they share its acknowledgements.
const IN_FLIGHT: usize = 16;
/// Times that a batch is sent before the store is given up.
const TRIES: u32 = 8;
/// From one try to the next; twice as long after each.
const WAIT: Duration = Duration::from_millis(50);

/// What is restored, and over what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Delete what the target holds in the scopes that are restored.
    pub replace: bool,
    /// Restore these scopes alone; all of the backup unless given.
    pub only: Option<Vec<Scope>>,
    /// A partition that keeps others, too: where it goes, those go that stand in the backup with
    /// it. Otherwise only scopes that a part names are restored.
    pub with_others: Option<Scope>,
}

/// Reads a backup whole and checks it; then writes its records to the scopes of `parts`.
///
/// Nothing is changed unless the backup is whole and fits, and every scope that it is restored to
/// is empty in the tables of `schemas`, or to be replaced. Nobody else may write to these scopes
/// meanwhile: who does is found out, mostly, and ends it. At the end, what is there is counted.
///
/// The schemas have to declare the backup's tables as they were when it was made; there may be
/// more tables.
///
/// # Errors
/// Those of the backup, before anything is changed: [`Error::Foreign`], [`Error::Newer`],
/// [`Error::Truncated`], [`Error::Damaged`], [`Error::Schema`], [`Error::Scope`]. Of the target:
/// [`Error::NotEmpty`], [`Error::Store`], and [`Error::InPart`] once something was written.
pub async fn restore(
    source: &dyn Source,
    parts: &[Part<'_>],
    schemas: &[Schema],
    options: &RestoreOptions,
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let (summary, changed) = verify(source, progress).await?;
    check_tables(&summary, schemas)?;
    let targets = targets(&summary, parts, options)?;
    if !options.replace {
        for part in targets.values() {
            check_empty(part, schemas).await?;
        }
    }
    let mut restore = Restore {
        schemas,
        progress,
        written: 0,
    };
    let outcome = restore
        .run(source, &targets, &changed, &summary, options)
        .await;
    match outcome {
        Ok(()) => Ok(summary),
        Err(cause) if restore.written == 0 && !options.replace => Err(cause),
        Err(cause) => Err(Error::InPart {
            records: restore.written,
            cause: Box::new(cause),
        }),
    }
}

async fn verify(source: &dyn Source, progress: OnProgress<'_>) -> Result<(Summary, Changed)> {
    let mut reader = source.open().await?;
    let mut verifier = Verifier::new();
    let mut buffer = vec![0; READ];
    loop {
        let read = reader.read(&mut buffer).await.map_err(Error::Read)?;
        if read == 0 {
            return verifier.finish_with_changed();
        }
        verifier.push(&buffer[..read])?;
        progress(Progress {
            step: Step::Verify,
            records: verifier.items(),
            bytes: verifier.bytes(),
        });
    }
}

fn check_tables(summary: &Summary, schemas: &[Schema]) -> Result<()> {
    let unfit = |cause: String| Error::Schema {
        by: summary.header.by.clone(),
        cause,
    };
    for table in &summary.header.tables {
        match schemas.iter().find(|schema| schema.table() == table.table) {
            None => {
                let cause = format!("there is no table {} here", table.table);
                return Err(unfit(cause));
            }
            Some(schema) if TableLine::new(schema) != *table => {
                let cause = format!("table {} has other columns here", table.table);
                return Err(unfit(cause));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The scopes of the backup that are to be restored, and where to.
fn targets<'b>(
    summary: &Summary,
    parts: &[Part<'b>],
    options: &RestoreOptions,
) -> Result<BTreeMap<Scope, Part<'b>>> {
    let has = |wanted: &Scope| summary.scopes.iter().any(|found| found.scope == *wanted);
    for scope in options.only.iter().flatten() {
        if !has(scope) {
            return Err(Error::Scope(format!("the backup has no scope {scope}")));
        }
    }
    let mut targets = BTreeMap::new();
    for found in &summary.scopes {
        let only = options.only.as_ref();
        if only.is_some_and(|only| !only.contains(&found.scope)) {
            continue;
        }
        let keeper = match &found.scope {
            Scope::Partition(_) => options.with_others.as_ref().filter(|keeper| has(keeper)),
            _ => None,
        };
        let of = |scope: &Scope| parts.iter().find(|part| part.scope == *scope);
        let Some(part) = of(&found.scope).or_else(|| of(keeper?)) else {
            return Err(Error::Scope(format!(
                "the backup has scope {}, which is not kept here",
                found.scope
            )));
        };
        let part = Part {
            scope: found.scope.clone(),
            store: part.store,
        };
        targets.insert(found.scope.clone(), part);
    }
    Ok(targets)
}

async fn check_empty(part: &Part<'_>, schemas: &[Schema]) -> Result<()> {
    for schema in schemas {
        let mut query = query(part, schema);
        query.limit = 1;
        let page = whole_page(part.store, &query).await?;
        if !page.records.is_empty() {
            return Err(Error::NotEmpty {
                scope: part.scope.clone(),
                table: schema.table().to_owned(),
            });
        }
    }
    Ok(())
}

fn query(part: &Part<'_>, schema: &Schema) -> Query {
    Query::new(part.scope.clone(), Name::from_static(schema.table()))
}

/// The part that writes.
struct Restore<'a> {
    schemas: &'a [Schema],
    progress: OnProgress<'a>,
    /// Records that the target has acknowledged.
    written: u64,
}

/// Batches on their way; each gives the number of its records.
type InFlight<'a> = FuturesUnordered<BoxFuture<'a, Result<u64>>>;

// === impl Restore ===

impl Restore<'_> {
    async fn run(
        &mut self,
        source: &dyn Source,
        targets: &BTreeMap<Scope, Part<'_>>,
        changed: &Changed,
        summary: &Summary,
        options: &RestoreOptions,
    ) -> Result<()> {
        if options.replace {
            for part in targets.values() {
                self.clear(part).await?;
            }
        }
        let mut reader = source.open().await?;
        let mut verifier = Verifier::new();
        let mut buffer = vec![0; READ];
        let mut in_flight = InFlight::new();
        let mut pending = Pending::default();
        loop {
            let read = reader.read(&mut buffer).await.map_err(Error::Read)?;
            if read == 0 {
                break;
            }
            let mut batches = Vec::new();
            verifier.each(&buffer[..read], &mut |scope, item| {
                if targets.contains_key(scope) {
                    pending.take(scope, item, changed, &mut batches);
                }
                Ok(())
            })?;
            for batch in batches {
                self.send(&mut in_flight, targets, batch).await?;
            }
            self.tell(Step::Restore, verifier.bytes());
        }
        // The second reading has shown the same as the first.
        let (again, _) = verifier.finish_with_changed()?;
        if again != *summary {
            let cause = std::io::Error::other("it was replaced by another meanwhile");
            return Err(Error::Read(cause));
        }
        if let Some(batch) = pending.batch.take() {
            self.send(&mut in_flight, targets, batch).await?;
        }
        while let Some(done) = in_flight.next().await {
            self.written += done?;
        }
        self.tell(Step::Restore, again.bytes);
        self.count(targets, pending.records).await
    }

    /// Sends a batch once there is a place for it.
    async fn send<'p>(
        &mut self,
        in_flight: &mut InFlight<'p>,
        targets: &BTreeMap<Scope, Part<'p>>,
        batch: Batch,
    ) -> Result<()> {
        if in_flight.len() >= IN_FLIGHT
            && let Some(done) = in_flight.next().await
        {
            self.written += done?;
        }
        let store = targets[&batch.scope].store;
        let records = batch.writes.len() as u64;
        in_flight.push(Box::pin(async move {
            commit(store, batch).await?;
            Ok(records)
        }));
        Ok(())
    }

    async fn clear(&mut self, part: &Part<'_>) -> Result<()> {
        let mut deleted = 0;
        for schema in self.schemas {
            let mut query = query(part, schema);
            query.limit = BATCH_WRITES.min(PAGE_RECORDS);
            loop {
                let page = whole_page(part.store, &query).await?;
                if page.records.is_empty() {
                    break;
                }
                let mut batch = Batch::new(part.scope.clone());
                deleted += page.records.len() as u64;
                let keys = page.records.into_iter().map(|stored| stored.value.key);
                batch.writes.extend(keys.map(Write::Delete));
                commit(part.store, batch).await?;
                (self.progress)(Progress {
                    step: Step::Clear,
                    records: deleted,
                    bytes: 0,
                });
            }
        }
        Ok(())
    }

    /// Whether the target has what was written, and no more.
    async fn count(&self, targets: &BTreeMap<Scope, Part<'_>>, expected: u64) -> Result<()> {
        let mut found = 0;
        for part in targets.values() {
            for schema in self.schemas {
                let mut query = query(part, schema);
                loop {
                    let page = whole_page(part.store, &query).await?;
                    found += page.records.len() as u64;
                    (self.progress)(Progress {
                        step: Step::Count,
                        records: found,
                        bytes: 0,
                    });
                    match page.next {
                        Some(next) => query.after = Some(next),
                        None => break,
                    }
                }
            }
        }
        if found != expected {
            let text = format!(
                "the target has {found} records, and {expected} were restored: \
                 somebody else writes to it"
            );
            return Err(Error::Scope(text));
        }
        Ok(())
    }

    fn tell(&self, step: Step, bytes: u64) {
        (self.progress)(Progress {
            step,
            records: self.written,
            bytes,
        });
    }
}

/// Commits, and tries again, bounded, when the store cannot or cannot tell. The operation id
/// makes that harmless.
async fn commit(store: &dyn Store, batch: Batch) -> Result<()> {
    let mut wait = WAIT;
    for tried in 1.. {
        match store.commit(batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(crate::Error::Unavailable { .. } | crate::Error::Unknown(_)) if tried < TRIES => {
                tracing::debug!(op = %batch.op, tried, "the target does not commit, trying again");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            Err(crate::Error::Conflict(key)) => {
                return Err(
                    invalid!("{key} is there already: somebody else writes to the target").into(),
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the last try returns")
}
