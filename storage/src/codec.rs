//! Records and changes as bytes: lengths are little-endian, then what they count.

use bytes::Bytes;
use uuid::Uuid;

use crate::batch::Write;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::record::{Field, Record, Stored};
use crate::revision::{Revision, Version};
use crate::scope::Scope;
use crate::value::Value;

const DELETE: u8 = 0;
const PUT: u8 = 1;

/// A record without its key.
pub(crate) fn encode_record(record: &Record, version: Version) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.size() + 32);
    out.extend(version.get().to_le_bytes());
    put_body(&mut out, record);
    out
}

/// The record of this key.
pub(crate) fn decode_record(key: Key, bytes: &[u8]) -> Result<Stored<Record>> {
    let mut reader = Reader { rest: bytes };
    let decoded = reader.stored().filter(|_| reader.rest.is_empty());
    match decoded {
        Some((version, fields, doc)) => Ok(Stored {
            value: Record { key, fields, doc },
            version,
        }),
        None => Err(Error::Corrupt {
            what: key.to_string(),
            cause: "its bytes are no record".into(),
        }),
    }
}

/// The version of a record.
pub(crate) fn decode_version(bytes: &[u8]) -> Option<Version> {
    Reader { rest: bytes }.u64().map(Version::new)
}

/// A change without its revision and scope.
pub(crate) fn encode_change(op: OpId, writes: &[Write]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(op.as_uuid().as_bytes());
    put_len(&mut out, writes.len());
    for write in writes {
        let key = write.key();
        put_bytes(&mut out, key.table().as_str().as_bytes());
        put_bytes(&mut out, key.id().as_bytes());
        match write {
            Write::Delete(_) => out.push(DELETE),
            Write::Put(record) => {
                out.push(PUT);
                put_body(&mut out, record);
            }
        }
    }
    out
}

/// The change of this scope and revision.
pub(crate) fn decode_change(scope: &Scope, revision: Revision, bytes: &[u8]) -> Result<Change> {
    let mut reader = Reader { rest: bytes };
    let decoded = reader.change(scope).filter(|_| reader.rest.is_empty());
    match decoded {
        Some((op, writes)) => Ok(Change {
            revision,
            op,
            writes,
        }),
        None => Err(Error::Corrupt {
            what: format!("revision {revision} of {scope}"),
            cause: "its bytes are no change".into(),
        }),
    }
}

/// The operation of a change.
pub(crate) fn decode_op(bytes: &[u8]) -> Option<OpId> {
    Reader { rest: bytes }.op()
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("a batch in bounds has less than 4 GiB");
    out.extend(len.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_body(out: &mut Vec<u8>, record: &Record) {
    put_len(out, record.fields.len());
    for field in &record.fields {
        put_bytes(out, field.name.as_str().as_bytes());
        out.push(u8::from(field.unique));
        match &field.value {
            Value::Null => out.push(1),
            Value::Bool(value) => out.extend([2, u8::from(*value)]),
            Value::Int(value) => {
                out.push(3);
                out.extend(value.to_le_bytes());
            }
            Value::Text(value) => {
                out.push(4);
                put_bytes(out, value.as_bytes());
            }
        }
    }
    put_bytes(out, &record.doc);
}

/// Takes bytes from the front; `None` where they are not what was written.
struct Reader<'a> {
    rest: &'a [u8],
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn len(&mut self) -> Option<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn op(&mut self) -> Option<OpId> {
        self.array().map(|bytes| Uuid::from_bytes(bytes).into())
    }

    fn value(&mut self) -> Option<Value> {
        match self.array()? {
            [1] => Some(Value::Null),
            [2] => self.flag().map(Value::Bool),
            [3] => self.array().map(i64::from_le_bytes).map(Value::Int),
            [4] => self.text().map(Value::from),
            _ => None,
        }
    }

    fn body(&mut self) -> Option<(Vec<Field>, Bytes)> {
        let count = self.len()?;
        let mut fields = Vec::with_capacity(count.min(crate::limits::COLUMNS));
        for _ in 0..count {
            fields.push(Field {
                name: Name::try_from(self.text()?).ok()?,
                unique: self.flag()?,
                value: self.value()?,
            });
        }
        Some((fields, Bytes::copy_from_slice(self.bytes()?)))
    }

    fn stored(&mut self) -> Option<(Version, Vec<Field>, Bytes)> {
        let version = self.u64().map(Version::new)?;
        let (fields, doc) = self.body()?;
        Some((version, fields, doc))
    }

    fn change(&mut self, scope: &Scope) -> Option<(OpId, Vec<Write>)> {
        let op = self.op()?;
        let count = self.len()?;
        let mut writes = Vec::with_capacity(count.min(crate::limits::BATCH_WRITES));
        for _ in 0..count {
            let table = Name::try_from(self.text()?).ok()?;
            let key = Key::new(scope.clone(), table, self.text()?).ok()?;
            writes.push(if self.flag()? {
                let (fields, doc) = self.body()?;
                Write::Put(Record { key, fields, doc })
            } else {
                Write::Delete(key)
            });
        }
        Some((op, writes))
    }
}
