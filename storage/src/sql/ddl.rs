use std::borrow::Cow;

use super::engine::Engine;
use crate::error::{Result, invalid};
use crate::schema::{Column, Schema};
use crate::value::Kind;

/// One step towards the tables that a store needs: one statement that may be run twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    name: Cow<'static, str>,
    sql: Cow<'static, str>,
    engine: Option<Engine>,
}

/// Columns that every table has.
const RESERVED: [&str; 5] = ["scope", "id", "version", "bytes", "doc"];

/// Bytes of an identifier that PostgreSQL does not cut off.
const IDENTIFIER: usize = 63;

/// The store's own tables, besides those of the migrator.
const OWN: [(&str, &str); 2] = [
    (
        "metal_scope",
        "CREATE TABLE IF NOT EXISTS metal_scope (
    scope TEXT NOT NULL PRIMARY KEY,
    revision INT8 NOT NULL,
    forgotten INT8 NOT NULL
)",
    ),
    (
        "metal_change",
        "CREATE TABLE IF NOT EXISTS metal_change (
    scope TEXT NOT NULL,
    revision INT8 NOT NULL,
    op UUID NOT NULL,
    bytes INT8 NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (scope, revision),
    CONSTRAINT \"metal_change$op\" UNIQUE (scope, op)
)",
    ),
];

// === impl Migration ===

impl Migration {
    /// A step on every engine.
    pub const fn common(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, None)
    }

    /// A step on PostgreSQL alone.
    pub const fn postgres(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Some(Engine::Postgres))
    }

    /// A step on CockroachDB alone, and there only in a database that has regions: a locality.
    pub const fn cockroach(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Some(Engine::Cockroach))
    }

    const fn new(name: &'static str, sql: &'static str, engine: Option<Engine>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            sql: Cow::Borrowed(sql),
            engine,
        }
    }

    /// What it is remembered by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its statement.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Where it is run; `None` for everywhere.
    pub fn engine(&self) -> Option<Engine> {
        self.engine
    }

    fn derived(name: String, sql: String, engine: Option<Engine>) -> Self {
        Self {
            name: name.into(),
            sql: sql.into(),
            engine,
        }
    }
}

/// The migrations that make the tables of these schemas, and the store's own.
///
/// # Errors
/// [`Invalid`](crate::Error::Invalid) for a schema that needs a name which is the store's own, or
/// too long for an engine.
pub fn migrations(schemas: &[Schema]) -> Result<Vec<Migration>> {
    let mut all: Vec<_> = OWN
        .iter()
        .map(|(name, sql)| Migration::common(name, sql))
        .collect();
    for schema in schemas {
        check(schema)?;
        let table = schema.table();
        all.push(Migration::derived(table.into(), create_table(schema), None));
        let collate = format!("ALTER TABLE \"{table}\" ALTER COLUMN id TYPE TEXT COLLATE \"C\"");
        let engine = Some(Engine::Postgres);
        all.push(Migration::derived(format!("{table}$id"), collate, engine));
        for column in schema.columns().iter().filter(|c| !c.is_unique()) {
            let index = format!("{table}${}", column.name());
            let create = format!(
                "CREATE INDEX IF NOT EXISTS \"{index}\" ON \"{table}\" (scope, \"{}\", id)",
                column.name()
            );
            all.push(Migration::derived(index, create, None));
        }
    }
    Ok(all)
}

/// Refuses what the tables cannot be made of.
pub(super) fn check(schema: &Schema) -> Result<()> {
    let table = schema.table();
    if table.starts_with("metal_") {
        return Err(invalid!(
            "table {table}: names that begin with metal_ are the store's own"
        ));
    }
    for name in schema.columns().iter().map(Column::name) {
        if RESERVED.contains(&name) {
            return Err(invalid!(
                "table {table}: every table has a column {name} already"
            ));
        }
        if table.len() + 1 + name.len() > IDENTIFIER {
            return Err(invalid!(
                "table {table}, column {name}: their names have more than {IDENTIFIER} bytes together"
            ));
        }
    }
    Ok(())
}

fn create_table(schema: &Schema) -> String {
    let table = schema.table();
    let mut sql = format!(
        "CREATE TABLE IF NOT EXISTS \"{table}\" (\n    scope TEXT NOT NULL,\n    id TEXT NOT NULL,\n    version INT8 NOT NULL,\n    bytes INT8 NOT NULL,\n"
    );
    for column in schema.columns() {
        let kind = sql_type(column.kind());
        sql += &format!("    \"{}\" {kind},\n", column.name());
    }
    sql += "    doc JSONB NOT NULL,\n";
    sql += "    PRIMARY KEY (scope, id)";
    for column in schema.columns().iter().filter(|c| c.is_unique()) {
        let name = column.name();
        sql += &format!(",\n    CONSTRAINT \"{table}${name}\" UNIQUE (scope, \"{name}\")");
    }
    sql + "\n)"
}

/// The type of a column.
pub(super) fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "BOOL",
        Kind::Int => "INT8",
        Kind::Text => "TEXT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_or_too_long_is_refused() {
        const LONG: &str = "abcdefghijklmnopqrstuvwxyzabcdef";
        const SCHEMAS: [(Schema, &str); 3] = [
            (Schema::new("metal_scope", &[]), "begin with metal_"),
            (
                Schema::new("a", &[Column::int("version")]),
                "has a column version already",
            ),
            (
                Schema::new(LONG, &[Column::text(LONG)]),
                "more than 63 bytes",
            ),
        ];
        for (schema, said) in SCHEMAS {
            let error = migrations(&[schema]).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
