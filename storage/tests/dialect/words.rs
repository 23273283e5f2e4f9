//! The lists of what is allowed.

/// Keywords that both know and that mean the same there, and names of ours that are a keyword of
/// some dialect.
pub const SHARED: &[&str] = &[
    "AND",
    "ANY",
    "ALL",
    "AS",
    "BEGIN",
    "BOOL",
    "BY",
    "BYTEA",
    "BYTES",
    "COLUMNS",
    "COMMIT",
    "CONFLICT",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CURRENT_SCHEMA",
    "DELETE",
    "DISTINCT",
    "DO",
    "EXCLUDED",
    "EXISTS",
    "FOR",
    "FROM",
    "HEAD",
    "ID",
    "IF",
    "INDEX",
    "INSERT",
    "INT8",
    "INTERVAL",
    "INTO",
    "IS",
    "ISOLATION",
    "JOIN",
    "JSONB",
    "KEY",
    "LATERAL",
    "LEFT",
    "LEVEL",
    "LIMIT",
    "NAME",
    "NOT",
    "NOTHING",
    "NULL",
    "OF",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "OWNER",
    "PRIMARY",
    "RETURNING",
    "REVISION",
    "ROLLBACK",
    "SCOPE",
    "SELECT",
    "SERIALIZABLE",
    "SET",
    "SHOW",
    "SUM",
    "TABLE",
    "TEXT",
    "TIMESTAMPTZ",
    "TOTAL",
    "TRUE",
    "UNION",
    "UNIQUE",
    "UNNEST",
    "UPDATE",
    "UUID",
    "VALUE",
    "VALUES",
    "VERSION",
    "WHERE",
    "WITH",
];

/// Keywords of PostgreSQL's besides.
pub const POSTGRES: &[&str] = &["LISTEN", "UNLISTEN"];

/// Functions that both have.
pub const FUNCTIONS: &[&str] = &["current_schema", "now", "sum", "unnest", "version"];

/// Functions of PostgreSQL's besides.
pub const POSTGRES_FUNCTIONS: &[&str] = &["pg_notify"];

/// Settings that both show.
pub const SETTINGS: &[&str] = &["transaction_read_only"];

/// Settings of PostgreSQL's besides.
pub const POSTGRES_SETTINGS: &[&str] = &["server_version_num", "synchronous_commit"];

/// Tables that are not ours and that both have.
pub const FOREIGN_TABLES: &[&str] = &["information_schema.columns"];

/// Columns that PostgreSQL gives to every table, the one list of what is not allowed: any other
/// name may be a column of ours.
pub const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// How old a read may be, behind the tables of a SELECT on CockroachDB.
pub const STALE: &str = " AS OF SYSTEM TIME follower_read_timestamp()";

/// What may stand behind a table's name in an ALTER TABLE on CockroachDB.
const LOCALITIES: &[&str] = &[
    " SET LOCALITY GLOBAL",
    " SET LOCALITY REGIONAL BY TABLE IN PRIMARY REGION",
    " SET LOCALITY REGIONAL BY ROW",
];

/// Whether this is one of the statements that CockroachDB alone takes, word by word.
pub fn is_cockroachs(sql: &str) -> bool {
    let alters = |end: &&str| is_alter_table(sql, end);
    sql == "SHOW REGIONS FROM DATABASE" || LOCALITIES.iter().any(alters)
}

/// Whether this is the statement that PostgreSQL alone takes, word by word: the order of text by
/// its bytes, which CockroachDB has anyway.
pub fn is_postgres(sql: &str) -> bool {
    is_alter_table(sql, " ALTER COLUMN id TYPE TEXT COLLATE \"C\"")
}

/// Whether it is an ALTER TABLE of one table that ends so.
fn is_alter_table(sql: &str, end: &str) -> bool {
    let rest = sql.strip_prefix("ALTER TABLE ");
    let Some(name) = rest.and_then(|rest| rest.strip_suffix(end)) else {
        return false;
    };
    let quoted = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    quoted
        .unwrap_or(name)
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
