//! Every statement that the SQL backend can issue is in the dialect that PostgreSQL and
//! CockroachDB share, and CockroachDB's own parser takes it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod forbidden;
mod guard;
mod parser;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use guard::{Where, check, check_migration};
use metal_storage::conformance::SCHEMAS;
use metal_storage::sql::{Engine, Statement, migrations, statements};

/// Every statement of a store of the suite's tables, which have a column of each kind.
fn every_statement() -> Vec<Statement> {
    let every = statements(SCHEMAS).unwrap();
    assert!(every.len() > 50, "{}", every.len());
    every
}

fn place(engine: Option<Engine>) -> Where {
    match engine {
        None => Where::Everywhere,
        Some(Engine::Postgres) => Where::Postgres,
        Some(Engine::Cockroach) => Where::Cockroach,
    }
}

#[test]
fn every_statement_is_in_the_dialect_that_both_share() {
    let mut refused = Vec::new();
    for Statement { name, engine, sql } in every_statement() {
        if let Err(cause) = check(&sql, place(engine)) {
            refused.push(format!("{cause} in {name}: {sql}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_migration_is_one_statement_that_may_be_run_twice() {
    for migration in migrations(SCHEMAS).unwrap() {
        let verdict = check_migration(migration.sql(), place(migration.engine()));
        assert_eq!(verdict, Ok(()), "{}: {}", migration.name(), migration.sql());
    }
}

/// The files in `migrations/`: their paths, and where each is run.
fn every_file() -> Vec<(PathBuf, Where)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files = Vec::new();
    for (folder, at) in [
        ("common", Where::Everywhere),
        ("postgres", Where::Postgres),
        ("cockroach", Where::Cockroach),
    ] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let paths: Vec<_> = entries.map(|entry| (entry.unwrap().path(), at)).collect();
        assert!(!paths.is_empty(), "{folder}");
        files.extend(paths);
    }
    files
}

#[test]
fn every_file_of_migrations_is_one_statement_that_may_be_run_twice() {
    for (path, at) in every_file() {
        let sql = fs::read_to_string(&path).unwrap();
        let one = sql.trim_end().strip_suffix(';').unwrap_or(&sql);
        let verdict = check_migration(one, at);
        assert_eq!(verdict, Ok(()), "{}: {sql}", path.display());
    }
}

#[test]
fn cockroachdbs_parser_takes_every_file_that_it_is_sent() {
    let Some(parser) = parser::find() else {
        return;
    };
    let mut sent = every_file();
    sent.retain(|(_, at)| *at != Where::Postgres);
    let texts: Vec<_> = (sent.iter())
        .map(|(path, _)| fs::read_to_string(path).unwrap())
        .collect();
    let answers = parser.parse(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    for ((path, _), answer) in sent.iter().zip(answers) {
        assert_eq!(answer.code, "", "{}: {}", path.display(), answer.message);
        assert_eq!(
            answer.tags.map(|tags| tags.len()),
            Some(1),
            "{}",
            path.display()
        );
    }
}

#[test]
fn cockroachdbs_parser_takes_every_statement_that_it_is_sent() {
    let Some(parser) = parser::find() else {
        return;
    };
    let sent: Vec<_> = every_statement()
        .into_iter()
        .filter(|statement| statement.engine != Some(Engine::Postgres))
        .collect();
    let texts: Vec<_> = sent.iter().map(|s| s.sql.as_str()).collect();
    for (statement, answer) in sent.iter().zip(parser.parse(&texts)) {
        let said = format!("{}: {} {}", statement.name, statement.sql, answer.message);
        assert_eq!(answer.code, "", "{said}");
        assert_eq!(answer.tags.map(|tags| tags.len()), Some(1), "{said}");
    }
}

#[test]
fn cockroachdbs_parser_refuses_what_the_proxy_refuses_as_syntax() {
    let Some(parser) = parser::find() else {
        return;
    };
    let refused = [
        ("LISTEN changes", "42601"),
        ("NOTIFY changes, 'x'", "42601"),
        ("LOCK TABLE t IN EXCLUSIVE MODE", "42601"),
        ("VACUUM t", "42601"),
        ("CREATE TABLE u (a CIDR)", "0A000"),
        ("CREATE TABLE u (a MACADDR)", "0A000"),
        (
            "CREATE TABLE u (a INT8, EXCLUDE USING gist (a WITH =))",
            "0A000",
        ),
        ("CREATE TABLE u (a INT8 UNIQUE DEFERRABLE)", "42601"),
        ("CREATE DOMAIN u AS INT8", "0A000"),
    ];
    let answers = parser.parse(&refused.map(|(text, _)| text));
    for ((text, code), answer) in refused.iter().zip(answers) {
        assert_eq!(answer.code, *code, "{text}: {}", answer.message);
    }
}

#[test]
fn the_guard_refuses_what_is_not_shared_wherever_it_hides() {
    for text in forbidden::EVERYWHERE {
        check(text, Where::Everywhere).expect_err(text);
        // In small letters too.
        check(&text.to_ascii_lowercase(), Where::Everywhere).expect_err(text);
    }
}

#[test]
fn what_is_one_engines_alone_is_allowed_there_alone() {
    for (text, at) in forbidden::ELSEWHERE {
        for place in [Where::Everywhere, Where::Postgres, Where::Cockroach] {
            assert_eq!(
                check(text, place).is_ok(),
                place == *at,
                "{text}, {place:?}"
            );
        }
    }
    for (text, at) in forbidden::EVEN_THERE {
        check(text, *at).expect_err(text);
    }
}

#[test]
fn a_migration_that_cannot_be_run_twice_is_refused() {
    for text in [
        "CREATE TABLE t (a TEXT)",
        "INSERT INTO t (a) VALUES (1)",
        "CREATE TABLE IF NOT EXISTS t (a TEXT); CREATE TABLE IF NOT EXISTS u (a TEXT)",
    ] {
        check_migration(text, Where::Everywhere).expect_err(text);
    }
    check_migration("CREATE TABLE IF NOT EXISTS t (a TEXT)", Where::Everywhere).unwrap();
}
