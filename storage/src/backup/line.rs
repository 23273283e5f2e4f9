//! The lines of a backup.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::batch::Write;
use crate::change::Change;
use crate::error::{Result, invalid};
use crate::key::Key;
use crate::name::Name;
use crate::record::{Field, Record, Stored};
use crate::schema::Schema;
use crate::scope::Scope;
use crate::value::{Kind, Value};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// What the header calls the format, whatever its version.
pub(super) const MAGIC: &str = "metal-store-backup";

/// How the first line begins.
pub(super) const BEGINNING: &str = r#"{"header":{"format":"metal-store-backup","version":"#;

/// Bytes of one line. A batch in bounds is shorter, however much of it must be escaped.
pub(super) const LINE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line<'a> {
    Header(Header),
    Scope(ScopeLine),
    #[serde(borrow)]
    Record(RecordLine<'a>),
    #[serde(borrow)]
    Change(ChangeLine<'a>),
    End(End),
}

/// What every version's header says.
#[derive(Debug, Deserialize)]
pub(super) struct AnyHeader {
    pub(super) header: AnyVersion,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnyVersion {
    pub(super) format: String,
    pub(super) version: u32,
    #[serde(default)]
    pub(super) by: String,
}

/// What a backup is, said in its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub(super) format: String,
    /// The version of the format.
    pub version: u32,
    /// The product that made it, and its version.
    pub by: String,
    /// When, as the maker's clock says; for display.
    pub at: String,
    pub(super) tables: Vec<TableLine>,
    pub(super) scopes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableLine {
    pub(super) table: String,
    pub(super) columns: Vec<ColumnLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnLine {
    name: String,
    kind: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeLine {
    pub(super) scope: String,
    pub(super) since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine<'a> {
    table: Cow<'a, str>,
    id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldLine>,
    #[serde(borrow)]
    doc: Cow<'a, RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldLine {
    name: String,
    value: Option<Cell>,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Bool(bool),
    Int(i64),
    Text(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeLine<'a> {
    pub(super) revision: u64,
    op: Uuid,
    #[serde(borrow)]
    writes: Vec<WriteLine<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WriteLine<'a> {
    #[serde(borrow)]
    Put(RecordLine<'a>),
    #[serde(borrow)]
    Delete(KeyLine<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyLine<'a> {
    table: Cow<'a, str>,
    id: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) scopes: Vec<EndScope>,
    pub(super) lines: u64,
    pub(super) sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndScope {
    pub(super) scope: String,
    pub(super) revision: u64,
    pub(super) records: u64,
    pub(super) changes: u64,
}

// === impl TableLine ===

impl TableLine {
    pub(super) fn new(schema: &Schema) -> Self {
        let column = |column: &crate::Column| ColumnLine {
            name: column.name().to_owned(),
            kind: match column.kind() {
                Kind::Bool => "bool".into(),
                Kind::Int => "int".into(),
                Kind::Text => "text".into(),
            },
            unique: column.is_unique(),
        };
        Self {
            table: schema.table().to_owned(),
            columns: schema.columns().iter().map(column).collect(),
        }
    }
}

// === impl RecordLine ===

impl<'a> RecordLine<'a> {
    pub(super) fn stored(stored: &'a Stored<Record>) -> Result<Self> {
        Self::new(&stored.value, Some(stored.version.get()))
    }

    fn new(record: &'a Record, version: Option<u64>) -> Result<Self> {
        let field = |field: &Field| FieldLine {
            name: field.name.as_str().to_owned(),
            value: match &field.value {
                Value::Null => None,
                Value::Bool(value) => Some(Cell::Bool(*value)),
                Value::Int(value) => Some(Cell::Int(*value)),
                Value::Text(value) => Some(Cell::Text(value.clone())),
            },
            unique: field.unique,
        };
        Ok(Self {
            table: record.key.table().as_str().into(),
            id: record.key.id().into(),
            version,
            fields: record.fields.iter().map(field).collect(),
            doc: on_one_line(record)?,
        })
    }

    pub(super) fn record(&self, scope: &Scope) -> Result<Record> {
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            fields.push(Field {
                name: Name::try_from(field.name.as_str())?,
                value: match &field.value {
                    None => Value::Null,
                    Some(Cell::Bool(value)) => Value::Bool(*value),
                    Some(Cell::Int(value)) => Value::Int(*value),
                    Some(Cell::Text(value)) => Value::Text(value.clone()),
                },
                unique: field.unique,
            });
        }
        let record = Record {
            key: key(scope, &self.table, &self.id)?,
            fields,
            doc: Bytes::copy_from_slice(self.doc.get().as_bytes()),
        };
        record.check()?;
        Ok(record)
    }
}

/// The document without line breaks, which in JSON are never within a string.
fn on_one_line(record: &Record) -> Result<Cow<'_, RawValue>> {
    let broken = |error: &dyn std::fmt::Display| crate::Error::Corrupt {
        what: record.key.to_string(),
        cause: format!("its document is no JSON: {error}"),
    };
    let text = std::str::from_utf8(&record.doc).map_err(|e| broken(&e))?;
    if text.contains(['\n', '\r']) {
        let text = text.replace(['\n', '\r'], " ");
        let raw = RawValue::from_string(text).map_err(|e| broken(&e))?;
        return Ok(Cow::Owned(raw));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|e| broken(&e))?;
    Ok(Cow::Borrowed(raw))
}

// === impl ChangeLine ===

impl<'a> ChangeLine<'a> {
    pub(super) fn new(change: &'a Change) -> Result<Self> {
        let mut writes = Vec::with_capacity(change.writes.len());
        for write in &change.writes {
            writes.push(match write {
                Write::Put(record) => WriteLine::Put(RecordLine::new(record, None)?),
                Write::Delete(key) => WriteLine::Delete(KeyLine {
                    table: key.table().as_str().into(),
                    id: key.id().into(),
                }),
            });
        }
        Ok(Self {
            revision: change.revision.get(),
            op: change.op.as_uuid(),
            writes,
        })
    }

    pub(super) fn writes(&self, scope: &Scope) -> Result<Vec<Write>> {
        let write = |write: &WriteLine<'_>| match write {
            WriteLine::Put(record) => record.record(scope).map(Write::Put),
            WriteLine::Delete(line) => key(scope, &line.table, &line.id).map(Write::Delete),
        };
        if self.writes.is_empty() {
            return Err(invalid!("a change has at least one write"));
        }
        self.writes.iter().map(write).collect()
    }
}

fn key(scope: &Scope, table: &str, id: &str) -> Result<Key> {
    Key::new(scope.clone(), Name::try_from(table)?, id)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
