use std::pin::pin;

use futures::StreamExt;
use tokio::io::AsyncWrite;

use super::error::{Error, Result};
use super::line::{
    ChangeLine, EndScope, FORMAT, Header, Line, MAGIC, RecordLine, ScopeLine, TableLine,
};
use super::output::Output;
use super::verify::Summary;
use super::{OnProgress, Part, Progress, Step, whole_page};
use crate::change::Change;
use crate::error::invalid;
use crate::limits::PAGE_RECORDS;
use crate::name::Name;
use crate::query::{Page, Query};
use crate::revision::Revision;
use crate::schema::Schema;
use crate::store::BoxStream;

/// Writes that may be made to all scopes of a backup while it is made.
pub const CHANGES: u64 = 1 << 20;

/// How a backup is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The product that makes it, and its version; for display.
    pub by: String,
    /// When; for display.
    pub at: String,
    /// How the file is compressed.
    pub compression: Compression,
    /// Records asked for at a time, 1 to [`PAGE_RECORDS`].
    pub page: usize,
}

/// How a backup is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// zstd, which every system has a tool for.
    #[default]
    Zstd,
    /// Lines that can be read as they are.
    None,
}

// === impl Options ===

impl Options {
    /// A compressed backup in the largest pages.
    pub fn new(by: impl Into<String>, at: impl Into<String>) -> Self {
        Self {
            by: by.into(),
            at: at.into(),
            compression: Compression::default(),
            page: PAGE_RECORDS,
        }
    }
}

/// Writes the tables of `schemas` in the scopes of `parts`, each scope as of one revision.
///
/// Nobody needs to stop writing meanwhile. Costs one read of everything; memory for a page of
/// records and a change. The writer is flushed, and neither closed nor made durable.
///
/// # Errors
/// [`Error::Busy`] if more than [`CHANGES`] writes are made meanwhile, or if the store forgets
/// changes before they are read; [`Error::Write`]; [`Error::Store`], in which
/// [`Corrupt`](crate::Error::Corrupt) names a record that cannot be read and
/// [`Invalid`](crate::Error::Invalid) a table that is not in `schemas` but written to.
pub async fn backup(
    parts: &[Part<'_>],
    schemas: &[Schema],
    options: &Options,
    writer: &mut (dyn AsyncWrite + Unpin + Send),
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let header = Header {
        format: MAGIC.to_owned(),
        version: FORMAT,
        by: options.by.clone(),
        at: options.at.clone(),
        tables: schemas.iter().map(TableLine::new).collect(),
        scopes: parts.iter().map(|part| part.scope.to_string()).collect(),
    };
    for (i, scope) in header.scopes.iter().enumerate() {
        if header.scopes[..i].contains(scope) {
            return Err(invalid!("{scope} is to be backed up twice").into());
        }
    }
    let mut output = Output::new(writer, options.compression)?;
    output.header(&Line::Header(header.clone())).await?;
    let mut ends = Vec::with_capacity(parts.len());
    let mut room = CHANGES;
    for part in parts {
        let mut scope = ScopeBackup {
            part,
            schemas,
            options,
            output: &mut output,
            progress,
            before: ends.iter().map(|end: &EndScope| end.records).sum(),
            since: Revision::ZERO,
            seen: Revision::ZERO,
            records: 0,
            room: &mut room,
        };
        ends.push(scope.run().await?);
    }
    output.end(ends.clone()).await?;
    Summary::new(header, &ends, output.written())
}

/// The backup of one scope.
struct ScopeBackup<'a, 'w> {
    part: &'a Part<'a>,
    schemas: &'a [Schema],
    options: &'a Options,
    output: &'a mut Output<'w>,
    progress: OnProgress<'a>,
    /// Records of the scopes before this one.
    before: u64,
    since: Revision,
    /// The last change written.
    seen: Revision,
    records: u64,
    room: &'a mut u64,
}

type Changes = BoxStream<'static, crate::Result<Change>>;

// === impl ScopeBackup ===

impl ScopeBackup<'_, '_> {
    async fn run(&mut self) -> Result<EndScope> {
        let part = self.part;
        let mut changes: Option<Changes> = None;
        let mut newest = Revision::ZERO;
        for schema in self.schemas {
            let table = Name::from_static(schema.table());
            let mut query = Query::new(part.scope.clone(), table);
            query.limit = self.options.page;
            loop {
                let page = match &mut changes {
                    None => whole_page(part.store, &query).await?,
                    Some(changes) => self.page(&query, changes).await?,
                };
                if changes.is_none() {
                    self.begin(page.revision).await?;
                    changes = Some(part.store.watch(part.scope.clone(), page.revision));
                }
                newest = newest.max(page.revision);
                for stored in &page.records {
                    let line = RecordLine::stored(stored)?;
                    self.output.line(&Line::Record(line)).await?;
                    self.records += 1;
                }
                self.tell();
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        match changes {
            None => self.begin(Revision::ZERO).await?,
            Some(mut changes) => {
                while self.seen < newest {
                    let change = changes.next().await;
                    self.change(change).await?;
                }
            }
        }
        Ok(EndScope {
            scope: part.scope.to_string(),
            revision: self.seen.get(),
            records: self.records,
            changes: self.seen.get() - self.since.get(),
        })
    }

    async fn begin(&mut self, since: Revision) -> Result<()> {
        self.since = since;
        self.seen = since;
        let line = ScopeLine {
            scope: self.part.scope.to_string(),
            since: since.get(),
        };
        self.output.line(&Line::Scope(line)).await
    }

    /// A page, and the changes that come until it is there.
    async fn page(&mut self, query: &Query, changes: &mut Changes) -> Result<Page> {
        let mut page = pin!(whole_page(self.part.store, query));
        loop {
            tokio::select! {
                page = &mut page => return page,
                change = changes.next() => self.change(change).await?,
            }
        }
    }

    async fn change(&mut self, change: Option<crate::Result<Change>>) -> Result<()> {
        let change = match change {
            Some(Ok(change)) => change,
            Some(Err(crate::Error::Compacted(_))) => return Err(self.busy()),
            Some(Err(error)) => return Err(error.into()),
            None => {
                let reason = "it stopped telling its changes".to_owned();
                return Err(crate::Error::Unavailable { reason }.into());
            }
        };
        for write in &change.writes {
            let table = write.key().table().as_str();
            if !self.schemas.iter().any(|schema| schema.table() == table) {
                return Err(
                    invalid!("table {table} is written to, and not to be backed up").into(),
                );
            }
        }
        *self.room = match self.room.checked_sub(change.writes.len() as u64) {
            Some(room) => room,
            None => return Err(self.busy()),
        };
        self.output
            .line(&Line::Change(ChangeLine::new(&change)?))
            .await?;
        self.seen = change.revision;
        Ok(())
    }

    fn busy(&self) -> Error {
        Error::Busy {
            scope: self.part.scope.clone(),
            since: self.since,
            writes: CHANGES - *self.room,
        }
    }

    fn tell(&self) {
        (self.progress)(Progress {
            step: Step::BackUp,
            records: self.before + self.records,
            bytes: self.output.written(),
        });
    }
}
