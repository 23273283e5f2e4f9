//! Values as the driver wants them.

use super::client::Query;
use super::tables::Table;
use crate::record::Record;
use crate::revision::{Revision, Version};
use crate::value::{Kind, Value};

/// Values of one column as an array.
pub(super) fn wanted<'a>(
    query: Query,
    kind: Kind,
    values: impl Iterator<Item = &'a Value>,
) -> Query {
    match kind {
        Kind::Text => query.bind(values.map(text).collect::<Vec<_>>()),
        Kind::Int => query.bind(values.map(int).collect::<Vec<_>>()),
        Kind::Bool => query.bind(values.map(boolean).collect::<Vec<_>>()),
    }
}

/// One value of a column of this kind.
pub(super) fn value(query: Query, kind: Kind, value: &Value) -> Query {
    match kind {
        Kind::Text => query.bind(text(value)),
        Kind::Int => query.bind(int(value)),
        Kind::Bool => query.bind(boolean(value)),
    }
}

/// What the insert and the upsert of a table want behind the scope.
pub(super) fn records(query: Query, table: &Table, records: &[(&Record, Version)]) -> Query {
    let records = || records.iter();
    let ids: Vec<String> = records().map(|(r, _)| r.key.id().to_owned()).collect();
    let versions: Vec<i64> = records().map(|(_, v)| revision(v.revision())).collect();
    let sizes: Vec<i64> = records().map(|(r, _)| size(r.doc.len())).collect();
    let mut query = query.bind(ids).bind(versions).bind(sizes);
    for (i, column) in table.schema.columns().iter().enumerate() {
        query = wanted(
            query,
            column.kind(),
            records().map(|(r, _)| &r.fields[i].value),
        );
    }
    let docs: Vec<String> = records()
        .map(|(r, _)| String::from_utf8_lossy(&r.doc).into_owned())
        .collect();
    query.bind(docs)
}

pub(super) fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

pub(super) fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}
