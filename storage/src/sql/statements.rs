//! Every statement that the backend can issue. Nothing else in it writes SQL.

use std::sync::Arc;

use super::ddl;
use super::engine::Engine;
use crate::error::Result;
use crate::limits::PAGE_BYTES;
use crate::schema::{Column, Schema};

/// One statement that the backend can issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is for; unique.
    pub name: String,
    /// Where it is issued; `None` for everywhere.
    pub engine: Option<Engine>,
    /// Its text, with `$1` and so on for what is bound.
    pub sql: String,
}

pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";

pub(super) const VERSION: &str = "SELECT version()";
pub(super) const READ_ONLY: &str = "SHOW transaction_read_only";
/// PostgreSQL: its version as a number.
pub(super) const VERSION_NUMBER: &str = "SHOW server_version_num";
/// PostgreSQL: whether a commit waits for the disk.
pub(super) const DURABLE: &str = "SHOW synchronous_commit";
/// CockroachDB: no row unless the database has regions.
pub(super) const REGIONS: &str = "SHOW REGIONS FROM DATABASE";

/// Where the scope is, and which of these operations it remembers.
///
/// Each is looked up by itself, here and in [`TableStatements::touched`]: for `op = ANY ($2)` a
/// planner without statistics reads the whole scope.
pub(super) const HEAD: &str = "SELECT s.revision, s.forgotten, c.op, c.done \
FROM metal_scope AS s \
LEFT JOIN (\
SELECT u.op, m.revision AS done FROM unnest($2::UUID[]) AS u (op) \
CROSS JOIN LATERAL (\
SELECT revision FROM metal_change WHERE scope = $1 AND op = u.op LIMIT 1\
) AS m\
) AS c ON TRUE \
WHERE s.scope = $1 FOR UPDATE OF s";
pub(super) const NEW_SCOPE: &str = "INSERT INTO metal_scope (scope, revision, forgotten) \
VALUES ($1, 0, 0) ON CONFLICT (scope) DO NOTHING";
/// Writes down what a group did and moves the scope on.
macro_rules! advance {
    ($more:literal) => {
        concat!(
            "WITH remembered AS (\
INSERT INTO metal_change (scope, revision, op, bytes, body) \
SELECT $1, u.revision, u.op, u.bytes, u.body \
FROM unnest($2::INT8[], $3::UUID[], $4::INT8[], $5::BYTEA[]) AS u (revision, op, bytes, body) \
RETURNING revision\
) UPDATE metal_scope SET revision = $6, forgotten = $7 WHERE scope = $1",
            $more
        )
    };
}
/// Without a word to other nodes, who look for themselves.
pub(super) const ADVANCE: &str = advance!("");
/// PostgreSQL: wakes who listens, too, when the transaction is committed.
pub(super) const ADVANCE_AND_NOTIFY: &str =
    advance!(" RETURNING pg_notify('metal_store', $8) AS notified");
pub(super) const FORGET: &str = "DELETE FROM metal_change WHERE scope = $1 AND revision <= $2";
/// The channel of [`ADVANCE_AND_NOTIFY`].
pub(super) const CHANNEL: &str = "metal_store";
/// PostgreSQL: as the driver writes it.
const LISTEN: &str = "LISTEN \"metal_store\"";
const UNLISTEN: &str = "UNLISTEN *";

pub(super) const HEADS: &str = "SELECT scope, revision FROM metal_scope WHERE scope = ANY ($1)";
/// One page of changes.
pub(super) const CHANGES: &str = "SELECT s.revision AS head, s.forgotten, t.revision, t.op, t.body \
FROM (SELECT revision, forgotten FROM metal_scope WHERE scope = $1) AS s \
LEFT JOIN (\
SELECT w.revision, w.op, w.body FROM (\
SELECT p.revision, p.op, p.bytes, p.body, sum(p.bytes) OVER (ORDER BY p.revision) AS total \
FROM (\
SELECT revision, op, bytes, body FROM metal_change \
WHERE scope = $1 AND revision > $2 ORDER BY revision LIMIT 256\
) AS p\
) AS w WHERE w.total - w.bytes <= 4194304\
) AS t ON TRUE ORDER BY t.revision";

pub(super) const MIGRATIONS_TABLE: &str = "CREATE TABLE IF NOT EXISTS metal_migration \
(name TEXT NOT NULL PRIMARY KEY, applied TIMESTAMPTZ NOT NULL)";
pub(super) const LOCK_TABLE: &str = "CREATE TABLE IF NOT EXISTS metal_migration_lock \
(id INT8 NOT NULL PRIMARY KEY, owner UUID NOT NULL, expires TIMESTAMPTZ NOT NULL)";
/// Takes the lock if it is free, expired or one's own, for so many milliseconds. One that expires
/// later than anybody asks for was taken before the clock was set back, by who may be gone;
/// clocks of CockroachDB's nodes differ by less than that.
pub(super) const LOCK: &str = "INSERT INTO metal_migration_lock AS l (id, owner, expires) \
VALUES (1, $1, now() + $2::INT8 * INTERVAL '1 millisecond') \
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires = excluded.expires \
WHERE l.expires <= now() OR l.expires > excluded.expires + $2::INT8 * INTERVAL '1 millisecond' \
OR l.owner = excluded.owner RETURNING owner";
pub(super) const UNLOCK: &str = "DELETE FROM metal_migration_lock WHERE id = 1 AND owner = $1";
pub(super) const APPLIED: &str = "SELECT name FROM metal_migration";
pub(super) const APPLY: &str = "INSERT INTO metal_migration (name, applied) VALUES ($1, now()) \
ON CONFLICT (name) DO NOTHING";
pub(super) const TABLES: &str = "SELECT table_name::TEXT AS table_name, \
column_name::TEXT AS column_name FROM information_schema.columns \
WHERE table_schema = current_schema()";

/// CockroachDB: reads what every replica nearby has, some seconds old.
const STALE: &str = " AS OF SYSTEM TIME follower_read_timestamp()";

/// The statements of one table.
#[derive(Debug)]
pub(super) struct TableStatements {
    pub(super) get: Reading,
    /// Versions and unique values of the records that a group is about: those with its ids, and
    /// those that hold the unique values which it wants to take.
    pub(super) touched: Arc<str>,
    pub(super) delete: Arc<str>,
    pub(super) insert: Arc<str>,
    pub(super) upsert: Arc<str>,
    /// All records, and then for each column those that hold a value and those that hold none.
    lists: Vec<List>,
}

/// A list by its first condition.
#[derive(Debug)]
struct List {
    name: String,
    /// That condition alone.
    one: Reading,
    /// And further ones.
    more: Reading,
}

/// A statement that reads.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) latest: Arc<str>,
    /// The same on what may be some seconds old; issued on CockroachDB alone.
    pub(super) stale: Arc<str>,
}

/// What a list begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    All,
    /// The column of this number holds a value.
    Value(usize),
    /// The column of this number holds none.
    Null(usize),
}

// === impl TableStatements ===

impl TableStatements {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut lists = vec![List::new(schema, First::All)];
        for i in 0..schema.columns().len() {
            lists.push(List::new(schema, First::Value(i)));
            lists.push(List::new(schema, First::Null(i)));
        }
        Self {
            get: get(schema),
            touched: touched(schema).into(),
            delete: format!(
                "DELETE FROM \"{}\" WHERE scope = $1 AND id = ANY ($2)",
                schema.table()
            )
            .into(),
            insert: insert(schema).into(),
            upsert: upsert(schema).into(),
            lists,
        }
    }

    /// The list that begins so; `more` if there are further conditions.
    pub(super) fn list(&self, first: First, more: bool) -> &Reading {
        let list = match first {
            First::All => 0,
            First::Value(i) => 1 + 2 * i,
            First::Null(i) => 2 + 2 * i,
        };
        let list = &self.lists[list];
        if more { &list.more } else { &list.one }
    }
}

// === impl List ===

impl List {
    fn new(schema: &Schema, first: First) -> Self {
        let name = match first {
            First::All => "all".to_owned(),
            First::Value(i) => format!("by {}", schema.columns()[i].name()),
            First::Null(i) => format!("without {}", schema.columns()[i].name()),
        };
        Self {
            name,
            one: list(schema, first, false),
            more: list(schema, first, true),
        }
    }
}

// === impl Reading ===

impl Reading {
    /// A statement of what stands before and behind the place of `AS OF SYSTEM TIME`.
    fn new(before: &str, behind: &str) -> Self {
        Self {
            latest: format!("{before}{behind}").into(),
            stale: format!("{before}{STALE}{behind}").into(),
        }
    }
}

/// Every statement that a store of these schemas can issue, its migrations included.
///
/// # Errors
/// As [`migrations`](super::migrations).
pub fn statements(schemas: &[Schema]) -> Result<Vec<Statement>> {
    let pg = Some(Engine::Postgres);
    let crdb = Some(Engine::Cockroach);
    let fixed = [
        ("begin", None, BEGIN),
        ("commit", None, COMMIT),
        ("rollback", None, ROLLBACK),
        ("version", None, VERSION),
        ("read only", None, READ_ONLY),
        ("version number", pg, VERSION_NUMBER),
        ("durable", pg, DURABLE),
        ("regions", crdb, REGIONS),
        ("head", None, HEAD),
        ("new scope", None, NEW_SCOPE),
        ("advance", None, ADVANCE),
        ("advance and notify", pg, ADVANCE_AND_NOTIFY),
        ("forget", None, FORGET),
        ("listen", pg, LISTEN),
        ("unlisten", pg, UNLISTEN),
        ("heads", None, HEADS),
        ("changes", None, CHANGES),
        ("migrations table", None, MIGRATIONS_TABLE),
        ("lock table", None, LOCK_TABLE),
        ("lock", None, LOCK),
        ("unlock", None, UNLOCK),
        ("applied", None, APPLIED),
        ("apply", None, APPLY),
        ("tables", None, TABLES),
    ];
    let mut all: Vec<_> = fixed
        .into_iter()
        .map(|(name, engine, sql)| statement(name, engine, sql))
        .collect();
    for migration in ddl::migrations(schemas)? {
        let name = format!("migration {}", migration.name());
        all.push(statement(name, migration.engine(), migration.sql()));
    }
    for schema in schemas {
        let table = schema.table();
        let own = TableStatements::new(schema);
        for (verb, sql) in [
            ("touched", &own.touched),
            ("delete", &own.delete),
            ("insert", &own.insert),
            ("upsert", &own.upsert),
        ] {
            all.push(statement(format!("{table} {verb}"), None, sql));
        }
        let mut reading = |name: &str, reading: &Reading| {
            all.push(statement(format!("{table} {name}"), None, &reading.latest));
            let stale = format!("{table} {name}, stale");
            all.push(statement(stale, crdb, &reading.stale));
        };
        reading("get", &own.get);
        for list in &own.lists {
            reading(&format!("list {}", list.name), &list.one);
            reading(&format!("list {} and more", list.name), &list.more);
        }
    }
    Ok(all)
}

fn statement(name: impl Into<String>, engine: Option<Engine>, sql: &str) -> Statement {
    Statement {
        name: name.into(),
        engine,
        sql: sql.to_owned(),
    }
}

/// The declared columns, each with something before it and a comma behind.
fn columns(schema: &Schema, alias: &str) -> String {
    let column = |c: &Column| format!("{alias}\"{}\", ", c.name());
    schema.columns().iter().map(column).collect()
}

fn get(schema: &Schema) -> Reading {
    let (outer, inner) = (columns(schema, "t."), columns(schema, ""));
    let before = format!(
        "SELECT s.revision, t.version, {outer}t.doc::TEXT AS doc \
FROM (SELECT revision FROM metal_scope WHERE scope = $1) AS s \
LEFT JOIN (SELECT version, {inner}doc FROM \"{}\" WHERE scope = $1 AND id = $2) AS t ON TRUE",
        schema.table()
    );
    Reading::new(&before, "")
}

fn list(schema: &Schema, first: First, more: bool) -> Reading {
    let name = |i: usize| schema.columns()[i].name();
    let table = format!("\"{}\"", schema.table());
    let [t, w, p, own] = ["t.", "w.", "p.", ""].map(|alias| columns(schema, alias));
    let (from, mut conditions) = match first {
        First::All => (table, String::new()),
        // There is one at most, which a planner that does not know how many ids are asked for
        // would look for among all of them.
        First::Value(i) if schema.columns()[i].is_unique() => {
            let one = format!(
                "(SELECT scope, id, version, bytes, {own}doc FROM {table} \
WHERE scope = $1 AND \"{}\" = $6 LIMIT 1) AS h",
                name(i)
            );
            (one, String::new())
        }
        First::Value(i) => (table, format!(" AND \"{}\" = $6", name(i))),
        First::Null(i) => (table, format!(" AND \"{}\" IS NULL", name(i))),
    };
    if more {
        let next = if matches!(first, First::Value(_)) {
            7
        } else {
            6
        };
        for (i, column) in schema.columns().iter().enumerate() {
            let (asked, value) = (next + 2 * i, next + 2 * i + 1);
            conditions += &format!(
                " AND (NOT ${asked}::BOOL OR \"{}\" IS NOT DISTINCT FROM ${value}::{})",
                column.name(),
                ddl::sql_type(column.kind())
            );
        }
    }
    let before = format!(
        "SELECT s.revision, t.id, t.version, t.bytes, {t}t.doc::TEXT AS doc \
FROM (SELECT revision FROM metal_scope WHERE scope = $1) AS s \
LEFT JOIN (\
SELECT w.id, w.version, w.bytes, {w}w.doc FROM (\
SELECT p.id, p.version, p.bytes, {p}p.doc, sum(p.bytes) OVER (ORDER BY p.id) AS total \
FROM (\
SELECT id, version, bytes, {own}doc FROM {from} \
WHERE scope = $1 AND id > $2 AND id >= $3 AND id < $4{conditions} ORDER BY id LIMIT $5\
) AS p\
) AS w WHERE w.total - w.bytes <= {PAGE_BYTES}\
) AS t ON TRUE"
    );
    Reading::new(&before, " ORDER BY t.id")
}

fn touched(schema: &Schema) -> String {
    let unique: Vec<_> = schema.columns().iter().filter(|c| c.is_unique()).collect();
    let names = |alias: &str| -> String {
        let name = |c: &&Column| format!(", {alias}\"{}\"", c.name());
        unique.iter().map(name).collect()
    };
    let (outer, inner) = (names("t."), names(""));
    let select = |column: &str, kind: &str, bound: usize| {
        format!(
            "SELECT t.id, t.version{outer} FROM unnest(${bound}::{kind}[]) AS u (value) \
CROSS JOIN LATERAL (\
SELECT id, version{inner} FROM \"{}\" WHERE scope = $1 AND {column} = u.value LIMIT 1\
) AS t",
            schema.table()
        )
    };
    let mut sql = select("id", "TEXT", 2);
    for (i, column) in unique.iter().enumerate() {
        let name = format!("\"{}\"", column.name());
        sql += " UNION ALL ";
        sql += &select(&name, ddl::sql_type(column.kind()), i + 3);
    }
    sql
}

fn insert(schema: &Schema) -> String {
    let own = columns(schema, "");
    let arrays: String = schema
        .columns()
        .iter()
        .enumerate()
        .map(|(i, c)| format!("${}::{}[], ", i + 5, ddl::sql_type(c.kind())))
        .collect();
    format!(
        "INSERT INTO \"{}\" (scope, id, version, bytes, {own}doc) \
SELECT $1, u.id, u.version, u.bytes, {}u.doc::JSONB \
FROM unnest($2::TEXT[], $3::INT8[], $4::INT8[], {arrays}${}::TEXT[]) \
AS u (id, version, bytes, {own}doc)",
        schema.table(),
        columns(schema, "u."),
        schema.columns().len() + 5,
    )
}

fn upsert(schema: &Schema) -> String {
    let set = |c: &Column| format!("\"{0}\" = excluded.\"{0}\", ", c.name());
    let set: String = schema.columns().iter().map(set).collect();
    let insert = insert(schema);
    format!(
        "{insert} ON CONFLICT (scope, id) DO UPDATE SET version = excluded.version, \
bytes = excluded.bytes, {set}doc = excluded.doc"
    )
}
