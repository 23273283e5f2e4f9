//! The clock of the server's machine is set forward and back.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::failpoint::Failpoint;
use crate::postgres::Postgres;

/// An hour, and how far it is set forward and back.
const HOUR: i64 = 3600;

/// How long it stays so.
const STAY: Duration = Duration::from_secs(1);

/// Its clock is set forward, back behind the true time, and right again.
#[derive(Default)]
pub struct Steps(Option<Postgres>);

// === impl Steps ===

impl Steps {
    fn server(&self) -> &Postgres {
        self.0.as_ref().unwrap()
    }
}

impl Failpoint for Steps {
    fn name(&self) -> &'static str {
        "steps of PostgreSQL's clock"
    }

    // Nothing of a record or a revision depends on it.
    fn is_felt(&self) -> bool {
        false
    }

    async fn start(&mut self) -> String {
        let server = Postgres::with_clock(&["fsync=off"]);
        let url = server.create_database("faults");
        self.0 = Some(server);
        url
    }

    async fn strike(&mut self) {
        let server = self.server();
        let time = || -> f64 {
            let now = "SELECT extract(epoch FROM clock_timestamp())";
            server.sql("faults", now).parse().unwrap()
        };
        let before = time();
        for hours in [1, -1, 24, -24] {
            server.step_clock(hours * HOUR);
            let stepped = time() - before - (hours * HOUR) as f64;
            assert!((0.0..600.0).contains(&stepped), "{hours} hours: {stepped}");
            tokio::time::sleep(STAY).await;
        }
    }

    async fn heal(&mut self) {
        self.server().step_clock(0);
    }
}

/// Holds the name of a table that is yet to be made: who makes it waits.
pub async fn hold(url: &str, table: &str) -> PgConnection {
    let mut holder = PgConnection::connect(url).await.unwrap();
    holder.execute("BEGIN").await.unwrap();
    let create = format!("CREATE TABLE \"{table}\" (held INT8)");
    holder.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    holder
}

/// How many wait to make that table.
pub fn waiting(server: &Postgres, database: &str, table: &str) -> String {
    let asked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
AND query LIKE 'CREATE TABLE IF NOT EXISTS \"{table}\"%'"
    );
    server.sql(database, &asked)
}
