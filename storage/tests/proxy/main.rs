//! The wire proxy does what it says, to a client that knows nothing of it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/proxy/mod.rs"]
mod proxy;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use postgres::{PASSWORD, Postgres, USER};
use proxy::{Engine, Fault, Faults, Point, Proxy};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

/// One server for all tests of this program.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

struct Behind {
    proxy: Proxy,
    database: &'static str,
}

impl Behind {
    /// A proxy before a new database with one empty table `t(a INT8 PRIMARY KEY)`.
    async fn start(database: &'static str, engine: Engine, faults: Faults) -> Self {
        let server = server();
        server.create_database(database);
        server.sql(database, "CREATE TABLE t (a INT8 PRIMARY KEY)");
        let upstream = SocketAddr::from(([127, 0, 0, 1], server.port()));
        let proxy = Proxy::start(upstream, engine, faults).await.unwrap();
        Self { proxy, database }
    }

    async fn connect(&self) -> PgConnection {
        let options = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.proxy.address().port())
            .username(USER)
            .password(PASSWORD)
            .database(self.database);
        PgConnection::connect_with(&options).await.unwrap()
    }

    /// What the table holds, asked past the proxy.
    fn rows(&self) -> String {
        server().sql(
            self.database,
            "SELECT string_agg(a::text, ',' ORDER BY a) FROM t",
        )
    }

    /// What the table holds once every other connection is gone and so can change it no more.
    async fn settled(&self) -> String {
        let others = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        while server().sql(self.database, others) != "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.rows()
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

async fn insert(connection: &mut PgConnection, a: i64) -> sqlx::Result<()> {
    let query = sqlx::query("INSERT INTO t (a) VALUES ($1)").bind(a);
    query.execute(connection).await.map(|_| ())
}

/// One transaction of two inserts; the error is the first.
async fn two(connection: &mut PgConnection, a: i64) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    insert(&mut transaction, a).await?;
    insert(&mut transaction, a + 1).await?;
    transaction.commit().await
}

#[tokio::test]
async fn without_faults_a_client_sees_postgresql() {
    let behind = Behind::start("plain", Engine::Postgres, Faults::none()).await;
    let mut connection = behind.connect().await;
    two(&mut connection, 1).await.unwrap();
    insert(&mut connection, 3).await.unwrap();
    assert_eq!(
        code(&insert(&mut connection, 3).await.unwrap_err()).unwrap(),
        "23505"
    );
    connection.execute("LISTEN x").await.unwrap();
    let version: String = sqlx::query_scalar("SELECT version()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(version.starts_with("PostgreSQL 15"), "{version}");
    assert_eq!(behind.rows(), "1,2,3");
    let report = behind.proxy.report();
    assert_eq!((report.connections, report.commits), (1, 3));
    assert_eq!(report.faults, [0; Fault::ALL.len()]);
}

#[tokio::test]
async fn asked_who_it_is_it_says_cockroachdb() {
    let behind = Behind::start("version", Engine::Cockroach, Faults::none()).await;
    let mut connection = behind.connect().await;
    assert_eq!(connection.server_version_num(), Some(130_000));
    for text in [
        "SELECT version()",
        "select VERSION ( )",
        "SHOW crdb_version",
    ] {
        let text = text.replace(" ( )", "()");
        let prepared = sqlx::query(AssertSqlSafe(text.clone()))
            .fetch_one(&mut connection)
            .await;
        let simple = sqlx::raw_sql(AssertSqlSafe(text))
            .fetch_one(&mut connection)
            .await;
        for row in [prepared.unwrap(), simple.unwrap()] {
            let version: String = row.get(0);
            assert!(version.starts_with("CockroachDB CCL v"), "{version}");
        }
    }
    let both: (String, i32) = sqlx::query_as("SELECT version() AS v, 1 AS one")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(both.0.starts_with("CockroachDB"));
    let server_version: String = sqlx::query_scalar("SHOW server_version")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(server_version, "13.0.0");
}

#[tokio::test]
async fn what_cockroachdb_refuses_is_refused_with_its_code() {
    let behind = Behind::start("refusals", Engine::Cockroach, Faults::none()).await;
    let mut connection = behind.connect().await;
    for (text, expected) in [
        ("LISTEN changes", "42601"),
        ("NOTIFY changes, 'x'", "42601"),
        ("LOCK TABLE t IN EXCLUSIVE MODE", "42601"),
        ("VACUUM t", "42601"),
        ("SELECT pg_advisory_lock(1)", "42883"),
        ("SELECT pg_notify('changes', 'x')", "42883"),
        ("SELECT txid_current()", "42883"),
        ("SELECT ctid FROM t", "42703"),
        ("CREATE TABLE u (a CIDR)", "0A000"),
        ("CREATE TABLE u (a MACADDR)", "0A000"),
        ("CREATE TABLE u (a INT8RANGE)", "42704"),
        ("SELECT '[1,2)'::int4range", "42704"),
        (
            "CREATE TABLE u (a INT8, EXCLUDE USING gist (a WITH =))",
            "0A000",
        ),
        ("CREATE TABLE u (a INT8 UNIQUE DEFERRABLE)", "42601"),
        ("CREATE DOMAIN u AS INT8", "0A000"),
        ("/* hidden */ SELECT 1; LISTEN changes", "42601"),
    ] {
        let simple = sqlx::raw_sql(text)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert_eq!(code(&simple).as_deref(), Some(expected), "{text}: {simple}");
        let prepared = sqlx::query(text)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert_eq!(
            code(&prepared).as_deref(),
            Some(expected),
            "{text}: {prepared}"
        );
    }
    // A word in a string or a name is none of its business, and the connection goes on.
    let fine = "SELECT 'LISTEN pg_notify(1)' AS \"ctid\" -- VACUUM";
    connection.execute(fine).await.unwrap();
    insert(&mut connection, 1).await.unwrap();
    assert_eq!(behind.proxy.report().refused.len(), 16);
}

#[tokio::test]
async fn a_refusal_ends_the_transaction_that_it_is_in() {
    let behind = Behind::start("aborted", Engine::Cockroach, Faults::none()).await;
    let mut connection = behind.connect().await;
    let mut transaction = connection.begin().await.unwrap();
    insert(&mut transaction, 1).await.unwrap();
    transaction.execute("NOTIFY x").await.unwrap_err();
    let error = insert(&mut transaction, 2).await.unwrap_err();
    assert_eq!(code(&error).unwrap(), "25P02");
    transaction.rollback().await.unwrap();
    assert_eq!(behind.rows(), "");
}

#[tokio::test]
async fn a_retry_at_any_point_leaves_nothing_and_the_connection_well() {
    let behind = Behind::start("retries", Engine::Cockroach, Faults::none()).await;
    let mut connection = behind.connect().await;
    for point in [Point::Statement, Point::Commit] {
        behind.proxy.script(point, Fault::Retry);
        let error = two(&mut connection, 1).await.unwrap_err();
        assert_eq!(code(&error).unwrap(), "40001");
        assert_eq!(behind.rows(), "");
    }
    behind.proxy.script(Point::Commit, Fault::Retry);
    let error = insert(&mut connection, 1).await.unwrap_err();
    assert_eq!(code(&error).unwrap(), "40001");
    behind.proxy.script(Point::Commit, Fault::Retry);
    let error = connection
        .execute("INSERT INTO t VALUES (1)")
        .await
        .unwrap_err();
    assert_eq!(code(&error).unwrap(), "40001");
    assert_eq!(behind.rows(), "");
    two(&mut connection, 1).await.unwrap();
    assert_eq!(behind.rows(), "1,2");
    let report = behind.proxy.report();
    assert_eq!((report.connections, report.count(Fault::Retry)), (1, 4));
    assert!(behind.proxy.script_is_done());
}

#[tokio::test]
async fn an_ambiguous_answer_is_the_same_whether_it_happened_or_not() {
    let behind = Behind::start("ambiguous", Engine::Cockroach, Faults::none()).await;
    let mut connection = behind.connect().await;
    for (fault, first, rows) in [
        (Fault::AmbiguousLost, 1, ""),
        (Fault::AmbiguousDone, 1, "1,2"),
        (Fault::AmbiguousLost, 3, "1,2"),
    ] {
        behind.proxy.script(Point::Commit, fault);
        let error = two(&mut connection, first).await.unwrap_err();
        assert_eq!(code(&error).unwrap(), "40003");
        assert_eq!(behind.rows(), rows);
    }
    behind.proxy.script(Point::Commit, Fault::AmbiguousDone);
    let error = insert(&mut connection, 5).await.unwrap_err();
    assert_eq!(code(&error).unwrap(), "40003");
    assert_eq!(behind.rows(), "1,2,5");
}

#[tokio::test]
async fn a_connection_is_cut_before_and_after_a_commit() {
    let behind = Behind::start("cuts", Engine::Postgres, Faults::none()).await;
    let mut next = 1;
    let mut expected = Vec::new();
    for fault in [Fault::CutBefore, Fault::CutAtOnce, Fault::CutAfter] {
        for _ in 0..4 {
            for alone in [false, true] {
                let mut connection = behind.connect().await;
                behind.proxy.script(Point::Commit, fault);
                let error = if alone {
                    insert(&mut connection, next).await
                } else {
                    two(&mut connection, next).await
                };
                assert!(matches!(error, Err(sqlx::Error::Io(_))), "{error:?}");
                if fault != Fault::CutBefore {
                    expected.push(next.to_string());
                    if !alone {
                        expected.push((next + 1).to_string());
                    }
                }
                next += 2;
            }
        }
        assert_eq!(behind.settled().await, expected.join(","), "{fault:?}");
    }
    assert!(behind.proxy.script_is_done());
}

#[tokio::test]
async fn a_connection_is_cut_at_a_statement() {
    let behind = Behind::start("cut_statements", Engine::Postgres, Faults::none()).await;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let mut connection = behind.connect().await;
        behind.proxy.script(Point::Statement, fault);
        two(&mut connection, 1).await.unwrap_err();
        assert_eq!(behind.settled().await, "");
    }
}

#[tokio::test]
async fn chance_strikes_as_often_as_told_and_repeats_with_its_seed() {
    let mut struck = Vec::new();
    for database in ["chance_a", "chance_b"] {
        let faults = Faults::one(7, Point::Commit, Fault::Retry, 0.25).and(
            Point::Commit,
            Fault::AmbiguousDone,
            0.25,
        );
        let behind = Behind::start(database, Engine::Cockroach, faults).await;
        let mut connection = behind.connect().await;
        let mut codes = Vec::new();
        for a in 0..200 {
            codes.push(
                insert(&mut connection, a)
                    .await
                    .err()
                    .and_then(|error| code(&error)),
            );
        }
        for code in ["40001", "40003"] {
            let count = codes
                .iter()
                .flatten()
                .filter(|found| *found == code)
                .count();
            assert!((25..75).contains(&count), "{code}: {count}");
        }
        struck.push(codes);
    }
    assert_eq!(struck[0], struck[1]);
}
