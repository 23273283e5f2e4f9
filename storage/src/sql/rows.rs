//! Rows as records.

use bytes::Bytes;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::fault::Fault;
use super::tables::Table;
use crate::error::Error;
use crate::key::Key;
use crate::name::Name;
use crate::record::{Field, Record, Stored};
use crate::revision::Revision;
use crate::value::{Kind, Value};

/// A revision or version.
pub(super) fn revision(row: &PgRow, at: usize) -> Result<Revision, Fault> {
    let number: i64 = row.try_get(at)?;
    u64::try_from(number).map(Revision::new).map_err(|_| {
        Fault::Answer(Error::Corrupt {
            what: "a revision".into(),
            cause: format!("it is {number}"),
        })
    })
}

pub(super) fn value(row: &PgRow, at: usize, kind: Kind) -> Result<Value, Fault> {
    Ok(match kind {
        Kind::Text => row.try_get::<Option<String>, _>(at)?.into(),
        Kind::Int => row.try_get::<Option<i64>, _>(at)?.into(),
        Kind::Bool => row.try_get::<Option<bool>, _>(at)?.into(),
    })
}

/// The record of this key, whose version is in one column, and whose declared columns and
/// document begin at another.
pub(super) fn record(
    row: &PgRow,
    table: &Table,
    key: Key,
    version: usize,
    columns: usize,
) -> Result<Stored<Record>, Fault> {
    let what = key.to_string();
    read(row, table, key, version, columns).map_err(|fault| {
        Fault::Answer(Error::Corrupt {
            what,
            cause: fault.reason(),
        })
    })
}

fn read(
    row: &PgRow,
    table: &Table,
    key: Key,
    version: usize,
    columns: usize,
) -> Result<Stored<Record>, Fault> {
    let declared = table.schema.columns();
    let mut fields = Vec::with_capacity(declared.len());
    for (i, column) in declared.iter().enumerate() {
        fields.push(Field {
            name: Name::from_static(column.name()),
            value: value(row, columns + i, column.kind())?,
            unique: column.is_unique(),
        });
    }
    let doc: String = row.try_get(columns + declared.len())?;
    Ok(Stored {
        version: revision(row, version)?.into(),
        value: Record {
            key,
            fields,
            doc: Bytes::from(doc),
        },
    })
}
