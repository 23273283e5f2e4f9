//! Where things are in the file. Keys are bytes, ordered as bytes; text in them cannot contain
//! NUL, so NUL separates. Any change here needs another [`FORMAT`].

use redb::TableDefinition;

use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::record::Field;
use crate::revision::Revision;
use crate::scope::Scope;
use crate::value::Value;

/// The version of this layout. Format 1 had no checksums before records and changes.
pub(super) const FORMAT: u32 = 2;

type Bytes = &'static [u8];

/// `format` -> [`FORMAT`], little-endian.
pub(super) const META: TableDefinition<&str, Bytes> = TableDefinition::new("meta");
/// scope -> revision, oldest revision watchable, bytes of changes.
pub(super) const SCOPES: TableDefinition<&str, (u64, u64, u64)> = TableDefinition::new("scopes");
/// scope NUL table NUL id -> checksum, record.
pub(super) const RECORDS: TableDefinition<Bytes, Bytes> = TableDefinition::new("records");
/// scope NUL table NUL column NUL value id -> whether unique.
pub(super) const INDEX: TableDefinition<Bytes, bool> = TableDefinition::new("index");
/// scope NUL revision -> checksum, change.
pub(super) const CHANGES: TableDefinition<Bytes, Bytes> = TableDefinition::new("changes");
/// scope NUL operation -> revision.
pub(super) const OPS: TableDefinition<Bytes, u64> = TableDefinition::new("ops");

/// What [`SCOPES`] says of a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) revision: Revision,
    pub(super) oldest: Revision,
    pub(super) bytes: u64,
}

// === impl Head ===

impl Head {
    pub(super) fn new((revision, oldest, bytes): (u64, u64, u64)) -> Self {
        Self {
            revision: Revision::new(revision),
            oldest: Revision::new(oldest),
            bytes,
        }
    }

    pub(super) fn value(self) -> (u64, u64, u64) {
        (self.revision.get(), self.oldest.get(), self.bytes)
    }
}

/// The key of a record.
pub(super) fn record(key: &Key) -> Vec<u8> {
    let mut bytes = records(key.scope(), key.table());
    bytes.extend_from_slice(key.id().as_bytes());
    bytes
}

/// What the keys of a table's records begin with.
pub(super) fn records(scope: &Scope, table: &Name) -> Vec<u8> {
    let mut bytes = scope.to_string().into_bytes();
    bytes.push(0);
    bytes.extend_from_slice(table.as_str().as_bytes());
    bytes.push(0);
    bytes
}

/// What the index entries of a value begin with; the id follows.
pub(super) fn index(scope: &Scope, table: &Name, column: &Name, value: &Value) -> Vec<u8> {
    let mut bytes = records(scope, table);
    bytes.extend_from_slice(column.as_str().as_bytes());
    bytes.push(0);
    // No value's bytes are the beginning of another's.
    match value {
        Value::Null => bytes.push(1),
        Value::Bool(value) => bytes.extend([2, u8::from(*value)]),
        Value::Int(value) => {
            bytes.push(3);
            bytes.extend(value.to_be_bytes());
        }
        Value::Text(value) => {
            bytes.push(4);
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

/// The index entry of a record's field.
pub(super) fn entry(key: &Key, field: &Field) -> Vec<u8> {
    let mut bytes = index(key.scope(), key.table(), &field.name, &field.value);
    bytes.extend_from_slice(key.id().as_bytes());
    bytes
}

/// The key of a change.
pub(super) fn change(scope: &Scope, revision: Revision) -> Vec<u8> {
    let mut bytes = scope.to_string().into_bytes();
    bytes.push(0);
    bytes.extend(revision.get().to_be_bytes());
    bytes
}

/// The key of an operation.
pub(super) fn op(scope: &Scope, op: OpId) -> Vec<u8> {
    let mut bytes = scope.to_string().into_bytes();
    bytes.push(0);
    bytes.extend_from_slice(op.as_uuid().as_bytes());
    bytes
}

/// The least key that does not begin with this; `None` if there is none.
pub(super) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut bytes = prefix[..=kept].to_vec();
    bytes[kept] += 1;
    Some(bytes)
}
