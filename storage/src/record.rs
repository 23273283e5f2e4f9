use bytes::Bytes;

use crate::error::{Result, invalid};
use crate::key::Key;
use crate::limits::COLUMNS;
use crate::name::Name;
use crate::revision::Version;
use crate::value::Value;

/// A record as a store sees it: its key, what can be asked for by equality, and the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Where it is.
    pub key: Key,
    /// Its indexed and unique columns: those that its table's [`Schema`](crate::Schema) declares,
    /// in that order, as a [`Table`](crate::Table) makes them. A backend that was opened with
    /// schemas refuses others.
    pub fields: Vec<Field>,
    /// One JSON document. A backend may give it back with other spacing, or its members in
    /// another order.
    pub doc: Bytes,
}

/// One indexed column of a record. It carries what its schema says, so that a key-value backend
/// needs no catalogue to derive its index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The column.
    pub name: Name,
    /// What it holds.
    pub value: Value,
    /// Whether no other record of the table and scope may hold the same.
    pub unique: bool,
}

/// What was read, and its version: what a guard needs to see that it has not changed since.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored<T> {
    /// What was read.
    pub value: T,
    /// Which commit wrote it.
    pub version: Version,
}

// === impl Record ===

impl Record {
    /// The value of a column, if the record has the column.
    pub fn field(&self, name: &Name) -> Option<&Value> {
        self.fields
            .iter()
            .find(|field| field.name == *name)
            .map(|field| &field.value)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.fields.len() > COLUMNS {
            return Err(invalid!(
                "{}: a record has at most {COLUMNS} columns, this one {}",
                self.key,
                self.fields.len()
            ));
        }
        for (i, field) in self.fields.iter().enumerate() {
            if self.fields[..i]
                .iter()
                .any(|other| other.name == field.name)
            {
                return Err(invalid!(
                    "{}: column {} is given twice",
                    self.key,
                    field.name
                ));
            }
            field
                .value
                .check()
                .map_err(|e| invalid!("{}: column {}: {e}", self.key, field.name))?;
        }
        if has_nul_escape(&self.doc) {
            return Err(invalid!("{}: a document cannot contain NUL", self.key));
        }
        Ok(())
    }

    pub(crate) fn size(&self) -> usize {
        let fields: usize = self
            .fields
            .iter()
            .map(|field| field.name.as_str().len() + field.value.size())
            .sum();
        self.key.size() + fields + self.doc.len()
    }
}

/// Whether a JSON text has the escape `\u0000`, which PostgreSQL's JSONB cannot hold.
fn has_nul_escape(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|b| *b == b'\\') {
        if rest[at..].starts_with(br"\u0000") {
            return true;
        }
        // The backslash and what it escapes.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_document_is_found_and_a_backslash_before_u0000_is_not_one() {
        for text in ["\0", "a\0b", "\\\0", "\\\\\0"] {
            let json = serde_json::to_vec(text).unwrap();
            assert!(has_nul_escape(&json), "{text:?}");
        }
        for text in ["", "u0000", "\\u0000", "\\\\u0000", "\n\\", "\u{1}"] {
            let json = serde_json::to_vec(text).unwrap();
            assert!(!has_nul_escape(&json), "{text:?}");
        }
    }
}
