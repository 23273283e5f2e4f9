use std::sync::Arc;

use sqlx::Row;
use uuid::Uuid;

use super::client::{Client, Query, fixed, query};
use super::engine::Engine;
use super::fault::Fault;
use super::statements::{CHANGES, First, HEADS, Reading};
use super::tables::{Table, Tables};
use super::{bind, rows};
use crate::change::Change;
use crate::codec;
use crate::error::{Error, Result, invalid};
use crate::key::Key;
use crate::limits::{ID_BYTES, PAGE_BYTES};
use crate::op::OpId;
use crate::query::{Page, Query as List};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::value::Value;

/// What reads the tables. Each method is one statement, and so one snapshot.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) client: Client,
    pub(super) tables: Arc<Tables>,
}

/// Changes of a scope, and what it was when they were read.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) head: Revision,
    pub(super) forgotten: Revision,
    pub(super) changes: Vec<Change>,
}

// === impl Reader ===

impl Reader {
    /// A record, and the revision of its scope.
    pub(super) async fn get(
        &self,
        key: &Key,
        stale: bool,
    ) -> Result<(Option<Stored<Record>>, Revision)> {
        let table = self.tables.get(key.table())?;
        let scope = key.scope().to_string();
        let make = |sql: &Arc<str>| query(sql).bind(scope.clone()).bind(key.id().to_owned());
        let found = self.read(&table.sql.get, stale, make).await?;
        let Some(row) = found.first() else {
            return Ok((None, Revision::ZERO));
        };
        let decode = || -> Result<_, Fault> {
            let revision = rows::revision(row, 0)?;
            let there = row.try_get::<Option<i64>, _>(1)?.is_some();
            let record = there.then(|| rows::record(row, table, key.clone(), 1, 2));
            Ok((record.transpose()?, revision))
        };
        decode().map_err(Fault::into_error)
    }

    /// One page.
    pub(super) async fn list(&self, list: &List, stale: bool) -> Result<Page> {
        let table = self.tables.get(&list.table)?;
        let asked = Asked::new(table, list);
        let reading = table.sql.list(asked.first, asked.more);
        let found = self.read(reading, stale, |sql| asked.query(sql)).await?;
        let decode = || -> Result<_, Fault> {
            let mut page = Page {
                records: Vec::with_capacity(found.len()),
                unreadable: Vec::new(),
                next: None,
                revision: Revision::ZERO,
            };
            let (mut bytes, mut last) = (0, None);
            for row in &found {
                page.revision = rows::revision(row, 0)?;
                let Some(id) = row.try_get::<Option<String>, _>(1)? else {
                    continue;
                };
                bytes += usize::try_from(row.try_get::<i64, _>(3)?).unwrap_or(PAGE_BYTES);
                let key = Key::new(list.scope.clone(), list.table.clone(), &id)?;
                match rows::record(row, table, key, 2, 4) {
                    Ok(stored) => page.records.push(stored),
                    Err(fault) => page.unreadable.push(fault.into_error()),
                }
                last = Some(id);
            }
            if page.records.len() + page.unreadable.len() == list.limit || bytes > PAGE_BYTES {
                page.next = last;
            }
            Ok(page)
        };
        decode().map_err(Fault::into_error)
    }

    /// The changes of a scope after a revision, as many as one takes at once.
    pub(super) async fn changes(&self, scope: &Scope, since: Revision) -> Result<Changes> {
        let name = scope.to_string();
        let make = || {
            fixed(CHANGES)
                .bind(name.clone())
                .bind(bind::revision(since))
        };
        let found = self.client.read(make).await.map_err(Fault::into_error)?;
        let decode = || -> Result<_, Fault> {
            let mut all = Changes {
                head: Revision::ZERO,
                forgotten: Revision::ZERO,
                changes: Vec::new(),
            };
            let mut last = since;
            for row in &found {
                all.head = rows::revision(row, 0)?;
                all.forgotten = rows::revision(row, 1)?;
                if row.try_get::<Option<i64>, _>(2)?.is_none() || since < all.forgotten {
                    break;
                }
                let revision = rows::revision(row, 2)?;
                let body: &[u8] = row.try_get(4)?;
                let change = codec::decode_change(scope, revision, body)?;
                let op = OpId::from(row.try_get::<Uuid, _>(3)?);
                if revision != last.next() || change.op != op {
                    return Err(Fault::Answer(Error::Corrupt {
                        what: format!("revision {} of {scope}", last.next()),
                        cause: format!("revision {revision} stands in its place"),
                    }));
                }
                last = revision;
                all.changes.push(change);
            }
            Ok(all)
        };
        decode().map_err(Fault::into_error)
    }

    /// Where these scopes are.
    pub(super) async fn heads(&self, scopes: &[Scope]) -> Result<Vec<(Scope, Revision)>> {
        let names: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let make = || fixed(HEADS).bind(names.clone());
        let found = self.client.read(make).await.map_err(Fault::into_error)?;
        let mut heads = Vec::with_capacity(found.len());
        for row in &found {
            let name: String = row.try_get(0).map_err(|e| Fault::from(e).into_error())?;
            let scope = name.parse().map_err(|e| invalid!("{e}"))?;
            heads.push((scope, rows::revision(row, 1).map_err(Fault::into_error)?));
        }
        Ok(heads)
    }

    /// Reads what is nearby if that will do and the engine has it; else the latest.
    async fn read(
        &self,
        reading: &Reading,
        stale: bool,
        make: impl Fn(&Arc<str>) -> Query + Send + Sync,
    ) -> Result<Vec<sqlx::postgres::PgRow>> {
        if stale && self.client.engine == Engine::Cockroach {
            match self.client.read(|| make(&reading.stale)).await {
                Ok(found) => return Ok(found),
                // Seconds after the tables were made there is nothing that is so old.
                Err(Fault::Missing(reason) | Fault::Refused(reason)) => {
                    tracing::debug!(reason, "no stale read");
                }
                Err(fault) => return Err(fault.into_error()),
            }
        }
        let found = self.client.read(|| make(&reading.latest)).await;
        found.map_err(Fault::into_error)
    }
}

/// A list as its statement wants it.
struct Asked<'a> {
    table: &'a Table,
    list: &'a List,
    first: First,
    more: bool,
    /// What each column is to hold, if that is asked for.
    values: Vec<Option<&'a Value>>,
    /// A condition that nothing can match.
    never: bool,
}

// === impl Asked ===

impl<'a> Asked<'a> {
    fn new(table: &'a Table, list: &'a List) -> Self {
        let columns = table.schema.columns();
        let mut asked = Self {
            table,
            list,
            first: First::All,
            more: false,
            values: vec![None; columns.len()],
            never: false,
        };
        for (i, (name, value)) in list.equal.iter().enumerate() {
            let at = columns.iter().position(|c| c.name() == name.as_str());
            let Some(at) = at.filter(|at| value.is(columns[*at].kind())) else {
                asked.never = true;
                continue;
            };
            if i == 0 {
                asked.first = match value {
                    Value::Null => First::Null(at),
                    _ => First::Value(at),
                };
            } else {
                asked.more = true;
            }
            asked.never |= asked.values[at].is_some_and(|other| other != value);
            asked.values[at] = Some(value);
        }
        asked
    }

    fn query(&self, sql: &Arc<str>) -> Query {
        let List {
            scope,
            prefix,
            after,
            limit,
            ..
        } = self.list;
        let limit = if self.never { 0 } else { bind::size(*limit) };
        let mut query = query(sql)
            .bind(scope.to_string())
            .bind(after.clone().unwrap_or_default())
            .bind(prefix.clone())
            .bind(successor(prefix))
            .bind(limit);
        let columns = self.table.schema.columns();
        if let First::Value(at) = self.first {
            let value = self.values[at].unwrap_or(&Value::Null);
            query = bind::value(query, columns[at].kind(), value);
        }
        if self.more {
            for (column, asked) in columns.iter().zip(&self.values) {
                query = query.bind(asked.is_some());
                query = bind::value(query, column.kind(), asked.unwrap_or(&Value::Null));
            }
        }
        query
    }
}

/// A text behind every id with the prefix and before every other that is behind those.
fn successor(prefix: &str) -> String {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        let next = u32::from(last) + 1;
        // Behind the last before the surrogates stands the first after them.
        let next = if next == 0xd800 { 0xe000 } else { next };
        if let Some(next) = char::from_u32(next) {
            text.push(next);
            return text.into_iter().collect();
        }
    }
    char::MAX.to_string().repeat(ID_BYTES / 4 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_prefix_is_before_its_successor() {
        let last = char::MAX.to_string();
        for prefix in [
            "",
            "a",
            "az",
            "a\u{10ffff}",
            "\u{d7ff}",
            "\u{7f}",
            &last,
            &last.repeat(128),
        ] {
            let end = successor(prefix);
            assert!(*prefix < *end, "{prefix:?}");
            let longest = format!("{prefix}{}", last.repeat((ID_BYTES - prefix.len()) / 4));
            assert!(longest < end, "{prefix:?}");
        }
        assert_eq!(successor("a\u{10ffff}"), "b");
        assert_eq!(successor("\u{d7ff}"), "\u{e000}");
    }
}
