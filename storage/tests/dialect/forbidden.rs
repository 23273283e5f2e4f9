//! What the guard must refuse, or it would prove nothing.

use super::guard::Where;

pub const EVERYWHERE: &[&str] = &[
    // Statements.
    "LISTEN \"metal_store\"",
    "UNLISTEN *",
    "NOTIFY metal_store",
    "LOCK TABLE t",
    "TRUNCATE t",
    "VACUUM",
    "DO $$ BEGIN END $$",
    "DECLARE c CURSOR FOR SELECT a FROM t",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "UPSERT INTO t (a) VALUES (1)",
    "SET search_path = x",
    "SHOW server_version_num",
    "CREATE EXTENSION btree_gist",
    "CREATE SEQUENCE s",
    "ALTER TABLE t ADD COLUMN a TEXT",
    "CREATE TABLE IF NOT EXISTS t (a TEXT); CREATE TABLE IF NOT EXISTS u (a TEXT)",
    "SELECT a FROM t;",
    // Functions.
    "SELECT pg_advisory_lock(1)",
    "SELECT a FROM t WHERE b = (SELECT pg_advisory_xact_lock(1))",
    "INSERT INTO t (a) VALUES (pg_backend_pid())",
    "UPDATE t SET a = txid_current() WHERE b = 1",
    "SELECT a FROM pg_sleep(1) AS a",
    "SELECT pg_notify('metal_store', $1)",
    "SELECT gen_random_uuid()",
    "SELECT generate_series(1, 2)",
    // Tables and columns.
    "SELECT relname FROM pg_class",
    "SELECT relname FROM \"pg_class\"",
    "SELECT relname FROM pg_catalog.pg_class",
    "SELECT a FROM crdb_internal.tables",
    "SELECT ctid FROM t",
    "SELECT t.xmin FROM t",
    "SELECT * FROM t",
    "SELECT t.* FROM t",
    "SELECT a FROM (SELECT * FROM t) AS u",
    "DELETE FROM t WHERE a = 1 RETURNING *",
    "INSERT INTO t VALUES (1)",
    // Types.
    "CREATE TABLE IF NOT EXISTS t (a INT)",
    "CREATE TABLE IF NOT EXISTS t (a INTEGER)",
    "CREATE TABLE IF NOT EXISTS t (a SERIAL)",
    "CREATE TABLE IF NOT EXISTS t (a BIGSERIAL)",
    "CREATE TABLE IF NOT EXISTS t (a CIDR)",
    "CREATE TABLE IF NOT EXISTS t (a MACADDR)",
    "CREATE TABLE IF NOT EXISTS t (a INT8RANGE)",
    "CREATE TABLE IF NOT EXISTS t (a TSTZRANGE)",
    "CREATE TABLE IF NOT EXISTS t (a INT8 GENERATED ALWAYS AS IDENTITY)",
    "CREATE TABLE IF NOT EXISTS t (a TIMESTAMP)",
    "SELECT a::INT FROM t",
    "SELECT CAST(a AS INT) FROM t",
    "SELECT a FROM unnest($1::INT[]) AS u (a)",
    // Clauses.
    "CREATE TABLE t (a TEXT)",
    "CREATE TABLE IF NOT EXISTS t (a INT8, EXCLUDE USING gist (a WITH =))",
    "CREATE TABLE IF NOT EXISTS t (a INT8 REFERENCES u (a))",
    "CREATE TABLE IF NOT EXISTS t (a INT8 UNIQUE DEFERRABLE)",
    "CREATE UNLOGGED TABLE IF NOT EXISTS t (a INT8)",
    "CREATE INDEX IF NOT EXISTS i ON t USING gin (a)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
    "CREATE INDEX IF NOT EXISTS i ON t (a) WHERE a > 1",
    "CREATE INDEX i ON t (a)",
    "SELECT a FROM t FOR UPDATE SKIP LOCKED",
    "SELECT a FROM t TABLESAMPLE SYSTEM (1)",
    "SELECT DISTINCT ON (a) a FROM t",
    "WITH r AS (INSERT INTO t VALUES (1) RETURNING a) UPDATE u SET a = 1",
    "WITH r AS (SELECT pg_notify('a', 'b') AS a) UPDATE u SET a = 1",
    "WITH RECURSIVE r AS (SELECT 1 AS a) SELECT a FROM r",
    "SELECT a / 2 FROM t",
    "SELECT a ->> 'b' FROM t",
    "SELECT a FROM t ORDER BY a COLLATE \"de_DE\"",
    "SELECT a FROM t AS OF SYSTEM TIME follower_read_timestamp()",
    "SELECT a FROM t WHERE a ILIKE 'x'",
    "BEGIN ISOLATION LEVEL REPEATABLE READ",
];

/// What is one engine's alone.
pub const ELSEWHERE: &[(&str, Where)] = &[
    ("LISTEN \"metal_store\"", Where::Postgres),
    ("UNLISTEN *", Where::Postgres),
    ("SHOW server_version_num", Where::Postgres),
    ("SELECT pg_notify('metal_store', $1)", Where::Postgres),
    (
        "ALTER TABLE \"t\" ALTER COLUMN id TYPE TEXT COLLATE \"C\"",
        Where::Postgres,
    ),
    ("SHOW REGIONS FROM DATABASE", Where::Cockroach),
    ("ALTER TABLE \"t\" SET LOCALITY GLOBAL", Where::Cockroach),
    (
        "SELECT a FROM t AS OF SYSTEM TIME follower_read_timestamp() WHERE a = $1",
        Where::Cockroach,
    ),
];

/// What is not to be sent even there.
pub const EVEN_THERE: &[(&str, Where)] = &[
    ("SELECT pg_advisory_lock(1)", Where::Postgres),
    ("NOTIFY x", Where::Postgres),
    ("SELECT * FROM t", Where::Postgres),
    ("ALTER TABLE t DROP COLUMN a", Where::Postgres),
    ("SELECT pg_advisory_lock(1)", Where::Cockroach),
    (
        "SELECT * FROM t AS OF SYSTEM TIME follower_read_timestamp()",
        Where::Cockroach,
    ),
    (
        "ALTER TABLE \"t\" SET LOCALITY GLOBAL; DROP TABLE t",
        Where::Cockroach,
    ),
    (
        "ALTER TABLE \"t\", \"u\" SET LOCALITY GLOBAL",
        Where::Cockroach,
    ),
    ("DROP TABLE t", Where::Cockroach),
    ("SELECT 1", Where::Cockroach),
];
