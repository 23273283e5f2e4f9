use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::decode::{Decode, Fault};
use super::error::{Error, Result};
use super::line::{AnyHeader, BEGINNING, ChangeLine, End, EndScope, FORMAT, Header, Line, MAGIC};
use super::make::CHANGES;
use super::output::hex;
use crate::batch::Write;
use crate::key::Key;
use crate::record::Record;
use crate::revision::Revision;
use crate::scope::Scope;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it is.
    pub header: Header,
    /// Its scopes.
    pub scopes: Vec<Counted>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A scope and how much there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The scope.
    pub scope: Scope,
    /// As of which revision of the source.
    pub revision: Revision,
    /// Records that were listed; of these, or beside them, some were changed meanwhile.
    pub records: u64,
    /// Changes that were made meanwhile.
    pub changes: u64,
}

/// Checks a backup as its bytes pass, for instance on their way from one place to another.
pub struct Verifier {
    decode: Decode,
    check: Check,
    bytes: u64,
}

/// What a line says of the scope's contents.
pub(super) enum Item {
    Record(Record),
    Change(Revision, Vec<Write>),
}

/// Checks lines.
pub(super) struct Check {
    lines: u64,
    hash: Sha256,
    header: Option<Header>,
    scopes: Vec<Counted>,
    since: Revision,
    changed: Changed,
    ended: bool,
}

/// The writes of all changes: of each key the last one.
#[derive(Default)]
pub(super) struct Changed {
    last: HashMap<[u8; 16], Revision>,
    writes: u64,
}

// === impl Summary ===

impl Summary {
    pub(super) fn new(header: Header, ends: &[EndScope], bytes: u64) -> Result<Self> {
        let counted = |end: &EndScope| {
            Ok(Counted {
                scope: end.scope.parse()?,
                revision: Revision::new(end.revision),
                records: end.records,
                changes: end.changes,
            })
        };
        Ok(Self {
            header,
            scopes: ends.iter().map(counted).collect::<crate::Result<_>>()?,
            bytes,
        })
    }

    /// Records of all scopes.
    pub fn records(&self) -> u64 {
        self.scopes.iter().map(|scope| scope.records).sum()
    }
}

// === impl Verifier ===

impl Verifier {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            decode: Decode::new(),
            check: Check::new(),
            bytes: 0,
        }
    }

    /// The next bytes of the backup.
    ///
    /// # Errors
    /// [`Error::Foreign`], [`Error::Newer`] or [`Error::Damaged`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.each(bytes, &mut |_, _| Ok(()))
    }

    /// No more bytes come.
    ///
    /// # Errors
    /// [`Error::Truncated`], or [`Error::Foreign`] if there were not even enough to tell.
    pub fn finish(self) -> Result<Summary> {
        self.finish_with_changed().map(|(summary, _)| summary)
    }

    /// Records and changes seen so far.
    pub fn items(&self) -> u64 {
        let count = |scope: &Counted| scope.records + scope.changes;
        self.check.scopes.iter().map(count).sum()
    }

    /// Bytes seen so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn each(
        &mut self,
        mut bytes: &[u8],
        take: &mut dyn FnMut(&Scope, Item) -> Result<()>,
    ) -> Result<()> {
        self.bytes += bytes.len() as u64;
        loop {
            let line = match self.decode.next(&mut bytes) {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(_) if self.check.header.is_none() => return Err(Error::Foreign),
                Err(Fault::Zstd(error)) => return Err(self.check.damaged(error.to_string())),
                Err(Fault::LongLine) => return Err(self.check.damaged("it is too long")),
            };
            if let Some(item) = self.check.line(line)? {
                let scope = self.check.scopes.last().map(|counted| &counted.scope);
                take(scope.expect("an item stands below its scope"), item)?;
            }
        }
    }

    pub(super) fn finish_with_changed(self) -> Result<(Summary, Changed)> {
        let check = self.check;
        match check.header {
            None if self.decode.could_begin(BEGINNING) => Err(Error::Truncated { lines: 0 }),
            None => Err(Error::Foreign),
            Some(header) if check.ended && self.decode.is_at_end() => {
                let summary = Summary {
                    header,
                    scopes: check.scopes,
                    bytes: self.bytes,
                };
                Ok((summary, check.changed))
            }
            Some(_) if check.ended && !self.decode.is_after_line() => Err(Error::Damaged {
                line: check.lines + 1,
                cause: "something follows the end".to_owned(),
            }),
            Some(_) => Err(Error::Truncated { lines: check.lines }),
        }
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Check ===

impl Check {
    fn new() -> Self {
        Self {
            lines: 0,
            hash: Sha256::new(),
            header: None,
            scopes: Vec::new(),
            since: Revision::ZERO,
            changed: Changed::default(),
            ended: false,
        }
    }

    fn damaged(&self, cause: impl Into<String>) -> Error {
        Error::Damaged {
            line: self.lines + 1,
            cause: cause.into(),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<Option<Item>> {
        if self.ended {
            return Err(self.damaged("something follows the end"));
        }
        if self.header.is_none() {
            probe(bytes)?;
        }
        let line = serde_json::from_slice(bytes).map_err(|e| self.damaged(e.to_string()))?;
        let item = match line {
            Line::Header(header) if self.header.is_none() => {
                self.header = Some(header);
                Ok(None)
            }
            Line::Scope(line) => self.scope(&line.scope, line.since).map(|()| None),
            Line::Record(line) => self.within_scope().and_then(|scope| {
                scope.records += 1;
                let record = line.record(&scope.scope).map_err(|e| e.to_string())?;
                Ok(Some(Item::Record(record)))
            }),
            Line::Change(line) => self.change(&line).map(Some),
            Line::End(end) => self.end(&end).map(|()| None),
            Line::Header(_) => Err("a second header".to_owned()),
        };
        let item = item.map_err(|cause| self.damaged(cause))?;
        if !self.ended {
            self.hash.update(bytes);
            self.hash.update(b"\n");
        }
        self.lines += 1;
        Ok(item)
    }

    fn scope(&mut self, scope: &str, since: u64) -> Result<(), String> {
        let expected = self
            .header
            .as_ref()
            .and_then(|header| header.scopes.get(self.scopes.len()));
        if expected.map(String::as_str) != Some(scope) {
            return Err(format!("scope {scope} is out of place"));
        }
        self.since = Revision::new(since);
        self.scopes.push(Counted {
            scope: scope.parse().map_err(|e: crate::Error| e.to_string())?,
            revision: self.since,
            records: 0,
            changes: 0,
        });
        Ok(())
    }

    fn within_scope(&mut self) -> Result<&mut Counted, String> {
        let last = self.scopes.last_mut();
        last.ok_or_else(|| "it belongs to no scope".to_owned())
    }

    fn change(&mut self, line: &ChangeLine<'_>) -> Result<Item, String> {
        let scope = self.within_scope()?;
        let revision = Revision::new(line.revision);
        if revision != scope.revision.next() {
            return Err(format!("revision {revision} follows {}", scope.revision));
        }
        scope.revision = revision;
        scope.changes += 1;
        let writes = line.writes(&scope.scope).map_err(|e| e.to_string())?;
        for write in &writes {
            self.changed.add(write.key(), revision)?;
        }
        Ok(Item::Change(revision, writes))
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        let header = self.header.as_ref().ok_or("there is no header")?;
        if header.scopes.len() != self.scopes.len() {
            return Err("scopes are missing".to_owned());
        }
        let counted = |counted: &Counted| EndScope {
            scope: counted.scope.to_string(),
            revision: counted.revision.get(),
            records: counted.records,
            changes: counted.changes,
        };
        let found: Vec<EndScope> = self.scopes.iter().map(counted).collect();
        if end.scopes != found || end.lines != self.lines {
            return Err("there is more or less than the end says".to_owned());
        }
        let hash = hex(&self.hash.clone().finalize());
        if end.sha256 != hash {
            return Err(format!("the SHA-256 is {hash}, and was {}", end.sha256));
        }
        self.ended = true;
        Ok(())
    }
}

/// Whether the first line is one of a backup that can be read.
fn probe(line: &[u8]) -> Result<()> {
    let AnyHeader { header } = serde_json::from_slice(line).map_err(|_| Error::Foreign)?;
    if header.format != MAGIC || header.version == 0 {
        return Err(Error::Foreign);
    }
    if header.version > FORMAT {
        return Err(Error::Newer {
            found: header.version,
            known: FORMAT,
            by: header.by,
        });
    }
    Ok(())
}

// === impl Changed ===

impl Changed {
    fn add(&mut self, key: &Key, revision: Revision) -> Result<(), String> {
        self.writes += 1;
        if self.writes > CHANGES {
            return Err(format!("it has more than {CHANGES} writes in changes"));
        }
        self.last.insert(digest(key), revision);
        Ok(())
    }

    /// The revision that wrote this key last, if one did while the backup was made.
    pub(super) fn last(&self, key: &Key) -> Option<Revision> {
        if self.last.is_empty() {
            return None;
        }
        self.last.get(&digest(key)).copied()
    }
}

/// Half a SHA-256 of the key: no two keys have the same.
fn digest(key: &Key) -> [u8; 16] {
    let mut hash = Sha256::new();
    // No part contains NUL.
    for part in [&key.scope().to_string(), key.table().as_str(), key.id()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash = hash.finalize();
    std::array::from_fn(|i| hash[i])
}
