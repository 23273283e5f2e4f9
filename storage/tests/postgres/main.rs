//! The SQL backend on a PostgreSQL that the tests start themselves.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/postgres.rs"]
mod postgres;

use postgres::Postgres;

#[test]
fn a_killed_server_starts_again_on_its_files() {
    let mut server = Postgres::start();
    server.create_database("survivor");
    server.sql("survivor", "CREATE TABLE t AS SELECT 7 AS n");
    server.signal("KILL");
    server.run();
    assert_eq!(server.sql("survivor", "SELECT n FROM t"), "7");
}
