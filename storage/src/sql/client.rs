use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Executor, Postgres};

use super::engine::Engine;
use super::fault::Fault;
use super::options::SqlOptions;
use super::pause::pause;
use super::statements::{BEGIN, COMMIT, ROLLBACK};
use crate::error::Result;
use crate::stats::Counters;

/// A statement with what is bound to it.
pub(super) type Query = sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments>;

/// What the server is given beyond its own bound for a statement.
const GRACE: Duration = Duration::from_secs(1);

/// Connections to one database.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) engine: Engine,
    pub(super) pool: PgPool,
    pub(super) place: Arc<str>,
    counters: Arc<Counters>,
    wait: Duration,
}

/// An open transaction. Dropped before its end, it takes its connection with it.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: Option<PoolConnection<Postgres>>,
    wait: Duration,
}

// === impl Client ===

impl Client {
    pub(super) fn new(options: &SqlOptions, counters: Arc<Counters>) -> Result<Self> {
        let connect = options.checked()?;
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.connect_wait)
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Ok(Self {
            engine: options.engine,
            pool,
            place: options.place().into(),
            counters,
            wait: options.statement_wait + GRACE,
        })
    }

    /// The rows of a statement that may be repeated. It is tried again, after a pause, where
    /// another came between or the connection broke, for as long as one statement may take.
    pub(super) async fn read(
        &self,
        make: impl Fn() -> Query + Send + Sync,
    ) -> Result<Vec<PgRow>, Fault> {
        let deadline = Instant::now() + self.wait;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let fault = match self.once(make()).await {
                Err(fault @ (Fault::Again(_) | Fault::Lost(_))) => fault,
                done => return done,
            };
            let pause = pause(attempt);
            if Instant::now() + pause >= deadline {
                return Err(fault);
            }
            self.counters.retry();
            tracing::debug!(
                attempt,
                kind = fault.kind(),
                reason = fault.reason(),
                "reading again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// The rows of a statement, in a transaction of its own.
    pub(super) async fn once(&self, query: Query) -> Result<Vec<PgRow>, Fault> {
        let mut connection = self.acquire().await?;
        let fetched = tokio::time::timeout(self.wait, connection.fetch_all(query)).await;
        let fault = match fetched {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => Fault::from(error),
            Err(_) => Fault::timeout("a statement"),
        };
        if matches!(fault, Fault::Lost(_)) {
            connection.close_on_drop();
        }
        Err(fault)
    }

    /// The pool itself tries again, as long as one waits, where the server may be starting.
    async fn acquire(&self) -> Result<PoolConnection<Postgres>, Fault> {
        self.pool
            .acquire()
            .await
            .map_err(|error| match error.into() {
                Fault::Lost(reason) | Fault::Again(reason) => Fault::Down(reason),
                fault => fault,
            })
    }

    pub(super) async fn begin(&self) -> Result<Transaction, Fault> {
        let mut transaction = Transaction {
            connection: Some(self.acquire().await?),
            wait: self.wait,
        };
        transaction.run(BEGIN).await?;
        Ok(transaction)
    }
}

// === impl Transaction ===

impl Transaction {
    /// The rows of a statement.
    pub(super) async fn fetch(&mut self, query: Query) -> Result<Vec<PgRow>, Fault> {
        let wait = self.wait;
        let connection = self.connection.as_mut().expect("it is open until it ends");
        match tokio::time::timeout(wait, connection.fetch_all(query)).await {
            Ok(rows) => Ok(rows?),
            Err(_) => Err(Fault::timeout("a statement")),
        }
    }

    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        self.run(COMMIT).await?;
        self.connection = None;
        Ok(())
    }

    /// Gives the connection back, if it is still good for something.
    pub(super) async fn rollback(mut self) {
        if self.run(ROLLBACK).await.is_ok() {
            self.connection = None;
        }
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), Fault> {
        let wait = self.wait;
        let connection = self.connection.as_mut().expect("it is open until it ends");
        match tokio::time::timeout(wait, connection.execute(statement)).await {
            Ok(done) => Ok(done.map(|_| ())?),
            Err(_) => Err(Fault::timeout(statement)),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}

/// A statement of this text.
pub(super) fn query(sql: &Arc<str>) -> Query {
    sqlx::query(AssertSqlSafe(Arc::clone(sql)))
}

/// A statement of this fixed text.
pub(super) fn fixed(sql: &'static str) -> Query {
    sqlx::query(sql)
}

/// A future that runs itself again needs a place of its own.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
