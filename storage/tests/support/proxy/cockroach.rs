//! What CockroachDB answers otherwise than PostgreSQL, as far as a client may ask.

use sqlparser::tokenizer::Token;

use super::statement::{is_call, word};

/// What CockroachDB says of itself.
pub const VERSION: &str =
    "CockroachDB CCL v25.2.0 (x86_64-pc-linux-gnu, built 2025/05/09 18:42:12, go1.23.7)";

/// The version of PostgreSQL that it says it is.
pub const SERVER_VERSION: &str = "13.0.0";

/// How old a read may be that any replica answers.
const STALE: &str = " AS OF SYSTEM TIME follower_read_timestamp()";

/// A statement that CockroachDB does not take, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub text: String,
}

/// Words that begin a statement which its grammar does not know.
const UNKNOWN_STATEMENTS: &[&str] = &[
    "listen",
    "notify",
    "lock",
    "vacuum",
    "merge",
    "cluster",
    "checkpoint",
];

/// What it has no type for.
const UNKNOWN_TYPES: &[&str] = &[
    "cidr",
    "macaddr",
    "macaddr8",
    "money",
    "xml",
    "point",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
];

/// What follows CREATE that it has nothing of.
const UNKNOWN_OBJECTS: &[&str] = &["domain", "rule", "collation", "aggregate", "operator"];

/// Columns that every table of PostgreSQL has, and none of its own.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax"];

/// Functions of PostgreSQL whose names do not begin with `pg_` and that it does not have.
const UNKNOWN_FUNCTIONS: &[&str] = &["txid_current", "txid_status", "txid_snapshot_xmin"];

/// Whether it refuses a statement of these tokens. Every `pg_` function is refused: it has a
/// few of them, and what a backend may use is not to depend on which.
pub fn refusal(tokens: &[Token]) -> Option<Refusal> {
    let first = word(tokens.first()?)?;
    if UNKNOWN_STATEMENTS.contains(&first.as_str()) {
        return Some(syntax(&first));
    }
    if first == "create" {
        let object = tokens.get(1).and_then(word);
        if let Some(object) = object.filter(|word| UNKNOWN_OBJECTS.contains(&word.as_str())) {
            return Some(unimplemented(&object));
        }
        if tokens.get(1).and_then(word).as_deref() == Some("extension") {
            return Some(unimplemented("extension"));
        }
    }
    let ddl = first == "create" || first == "alter";
    for (i, token) in tokens.iter().enumerate() {
        let Some(name) = word(token) else { continue };
        let cast = i > 0 && tokens[i - 1] == Token::DoubleColon;
        let unknown_function =
            name.starts_with("pg_") || UNKNOWN_FUNCTIONS.contains(&name.as_str());
        if is_call(tokens, i) && unknown_function {
            return Some(Refusal {
                code: "42883",
                text: format!("unknown function: {name}()"),
            });
        }
        if (ddl || cast) && UNKNOWN_TYPES.contains(&name.as_str()) && i > 1 {
            return Some(if name.ends_with("range") {
                Refusal {
                    code: "42704",
                    text: format!("type {name:?} does not exist"),
                }
            } else {
                unimplemented(&name)
            });
        }
        match name.as_str() {
            "exclude" | "inherits" if ddl => return Some(unimplemented(&name)),
            "deferrable" if ddl => return Some(syntax(&name)),
            _ if SYSTEM_COLUMNS.contains(&name.as_str()) => {
                return Some(Refusal {
                    code: "42703",
                    text: format!("column {name:?} does not exist"),
                });
            }
            _ => {}
        }
    }
    None
}

/// The statement to ask PostgreSQL in place of one about the version.
pub fn answer(text: &str, tokens: &[Token]) -> Option<String> {
    let words: Vec<_> = tokens.iter().filter_map(word).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let shown = |value: &str, name: &str| Some(format!("SELECT '{value}'::text AS {name}"));
    match words.as_slice() {
        ["show", "server_version"] => return shown(SERVER_VERSION, "server_version"),
        ["show", "server_version_num"] => return shown("130000", "server_version_num"),
        ["show", "crdb_version"] => return shown(VERSION, "crdb_version"),
        // A database without regions.
        ["show", "regions", "from", "database"] => {
            return Some("SELECT NULL::text AS region WHERE FALSE".into());
        }
        _ => {}
    }
    // PostgreSQL has nothing older than now, which is new enough for whoever may be given less.
    if text.contains(STALE) {
        return Some(text.replace(STALE, ""));
    }
    let asks = (0..tokens.len())
        .any(|i| word(&tokens[i]).as_deref() == Some("version") && is_call(tokens, i));
    let at = text.to_ascii_lowercase().find("version()")?;
    let end = at + "version()".len();
    let name = if tokens.len() == 4 { " AS version" } else { "" };
    asks.then(|| format!("{}'{VERSION}'::text{name}{}", &text[..at], &text[end..]))
}

fn syntax(at: &str) -> Refusal {
    Refusal {
        code: "42601",
        text: format!("at or near {at:?}: syntax error"),
    }
}

fn unimplemented(at: &str) -> Refusal {
    Refusal {
        code: "0A000",
        text: format!("at or near {at:?}: syntax error: unimplemented: this syntax"),
    }
}
