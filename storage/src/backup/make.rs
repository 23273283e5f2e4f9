use tokio::io::AsyncWrite;

use super::error::{Error, Result};
use super::line::{
    ChangeLine, EndScope, FORMAT, Header, Line, MAGIC, RecordLine, ScopeLine, TableLine,
};
use super::output::Output;
use super::verify::Summary;
use super::{OnProgress, Part, Progress, Step};
use crate::change::Change;
use crate::error::invalid;
use crate::limits::PAGE_RECORDS;
use crate::name::Name;
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::schema::Schema;
use crate::snapshot::{Sink, snapshot};

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
    records: u64,
    room: &'a mut u64,
}

// === impl ScopeBackup ===

impl ScopeBackup<'_, '_> {
    async fn run(&mut self) -> Result<EndScope> {
        let part = self.part;
        let tables = self.schemas.iter().map(|schema| schema.table());
        let tables: Vec<_> = tables.map(Name::from_static).collect();
        let page = self.options.page;
        let seen = match snapshot(part.store, &part.scope, &tables, page, self).await {
            Err(Error::Store(crate::Error::Compacted(_))) => return Err(self.busy()),
            seen => seen?,
        };
        Ok(EndScope {
            scope: part.scope.to_string(),
            revision: seen.get(),
            records: self.records,
            changes: seen.get() - self.since.get(),
        })
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

impl Sink for ScopeBackup<'_, '_> {
    type Error = Error;

    async fn begin(&mut self, revision: Revision) -> Result<Revision> {
        self.since = revision;
        let line = ScopeLine {
            scope: self.part.scope.to_string(),
            since: revision.get(),
        };
        self.output.line(&Line::Scope(line)).await?;
        Ok(revision)
    }

    async fn records(&mut self, records: Vec<Stored<Record>>) -> Result<()> {
        for stored in &records {
            let line = RecordLine::stored(stored)?;
            self.output.line(&Line::Record(line)).await?;
            self.records += 1;
        }
        self.tell();
        Ok(())
    }

    async fn change(&mut self, change: Change) -> Result<()> {
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
            .await
    }
}
