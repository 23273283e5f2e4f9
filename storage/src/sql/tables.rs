use std::collections::HashMap;

use serde_json::Value as Json;

use super::ddl;
use super::statements::TableStatements;
use crate::batch::{Batch, Write};
use crate::error::{Result, invalid};
use crate::key::Key;
use crate::name::Name;
use crate::record::Record;
use crate::schema::Schema;

/// The tables that a store keeps.
#[derive(Debug)]
pub(super) struct Tables {
    tables: HashMap<&'static str, Table>,
}

/// One table: what is declared, and how one asks for it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: Schema,
    pub(super) sql: TableStatements,
}

// === impl Tables ===

impl Tables {
    pub(super) fn new(schemas: &[Schema]) -> Result<Self> {
        let mut tables = HashMap::new();
        for schema in schemas {
            ddl::check(schema)?;
            let table = Table {
                schema: *schema,
                sql: TableStatements::new(schema),
            };
            if tables.insert(schema.table(), table).is_some() {
                return Err(invalid!("table {} is declared twice", schema.table()));
            }
        }
        Ok(Self { tables })
    }

    /// The table of this name.
    pub(super) fn get(&self, name: &Name) -> Result<&Table> {
        self.tables
            .get(name.as_str())
            .ok_or_else(|| invalid!("this store keeps no table {name}"))
    }

    /// Refuses a batch that the tables cannot hold, so that it is never sent.
    pub(super) fn check(&self, batch: &Batch) -> Result<()> {
        for guard in &batch.guards {
            self.get(guard.key().table())?;
        }
        for write in &batch.writes {
            let table = self.get(write.key().table())?;
            if let Write::Put(record) = write {
                table.check(record)?;
            }
        }
        Ok(())
    }
}

// === impl Table ===

impl Table {
    /// Whether the columns of a record are the declared ones, and its document is JSON.
    fn check(&self, record: &Record) -> Result<()> {
        let declared = self.schema.columns();
        if record.fields.len() != declared.len() {
            return Err(invalid!(
                "{}: {} columns given, {} declared",
                record.key,
                record.fields.len(),
                declared.len()
            ));
        }
        for (field, column) in record.fields.iter().zip(declared) {
            let same = field.name.as_str() == column.name()
                && field.unique == column.is_unique()
                && field.value.is(column.kind());
            if !same {
                return Err(invalid!(
                    "{}: column {} is not as declared, which is {:?} {}{}",
                    record.key,
                    field.name,
                    column.kind(),
                    column.name(),
                    if column.is_unique() { ", unique" } else { "" }
                ));
            }
        }
        // Whole, and not only its form: JSONB holds no lone surrogates.
        serde_json::from_slice::<Json>(&record.doc)
            .map(drop)
            .map_err(|e| invalid!("{}: the document is no JSON: {e}", record.key))
    }

    /// The numbers of its unique columns.
    pub(super) fn unique(&self) -> impl Iterator<Item = usize> {
        let columns = self.schema.columns();
        (0..columns.len()).filter(|i| columns[*i].is_unique())
    }
}

/// The keys of a batch, those of its guards first.
pub(super) fn keys(batch: &Batch) -> impl Iterator<Item = &Key> {
    let guards = batch.guards.iter().map(crate::Guard::key);
    guards.chain(batch.writes.iter().map(Write::key))
}
