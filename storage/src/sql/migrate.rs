use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::client::{Client, fixed};
use super::ddl::Migration;
use super::engine::Engine;
use super::fault::Fault;
use super::options::SqlOptions;
use super::statements::{
    APPLIED, APPLY, LOCK, LOCK_TABLE, MIGRATIONS_TABLE, REGIONS, TABLES, UNLOCK,
};
use crate::error::{Error, Result, invalid};
use crate::schema::{Column, Schema};

/// How often one asks for a lock that another holds.
const ASK: Duration = Duration::from_millis(100);

/// How often one tries to make a table, which nodes may do at the same time.
const TRIES: usize = 10;

/// Brings a database up to date, one node at a time.
///
/// Without advisory locks, which CockroachDB has not: a row says who migrates and until when. It
/// is renewed before every step, and free when it has expired. Should its holder only have been
/// slow, or the server's clock be set forward, two run the same step, which is idempotent; the
/// first then waits for the other. A lock from before the clock was set back is free at once.
#[derive(Debug)]
pub(super) struct Migrator<'a> {
    client: &'a Client,
    options: &'a SqlOptions,
    migrations: Vec<&'a Migration>,
    owner: Uuid,
}

// === impl Migrator ===

impl<'a> Migrator<'a> {
    /// For these migrations, as far as they are this engine's.
    pub(super) fn new(
        client: &'a Client,
        options: &'a SqlOptions,
        migrations: &'a [Migration],
    ) -> Self {
        let ours = |m: &&Migration| m.engine().is_none_or(|engine| engine == client.engine);
        Self {
            client,
            options,
            migrations: migrations.iter().filter(ours).collect(),
            owner: Uuid::new_v4(),
        }
    }

    /// Runs what is missing, or waits until another node has.
    pub(super) async fn migrate(&self) -> Result<()> {
        match self.applied().await {
            Ok(applied) if self.missing(&applied).await?.is_empty() => return Ok(()),
            Ok(_) => {}
            Err(Fault::Missing(_)) => {}
            Err(fault) => return Err(self.error(fault)),
        }
        self.own_tables().await?;
        let begun = Instant::now();
        loop {
            while !self.lock().await? {
                if begun.elapsed() >= self.options.migrate_wait {
                    return Err(Error::Unavailable {
                        reason: format!(
                            "{}: another node has been migrating it for {:?}",
                            self.client.place,
                            begun.elapsed()
                        ),
                    });
                }
                tokio::time::sleep(ASK).await;
            }
            let done = self.run().await;
            // If this fails the lock expires.
            let _ = self.client.once(fixed(UNLOCK).bind(self.owner)).await;
            if done? {
                return Ok(());
            }
            tracing::info!(database = %self.client.place, "another node took over the migration");
        }
    }

    /// Refuses a database that lacks a migration, or has one of a newer version.
    pub(super) async fn check(&self) -> Result<()> {
        let applied = match self.applied().await {
            Ok(applied) => applied,
            Err(Fault::Missing(_)) => HashSet::new(),
            Err(fault) => return Err(self.error(fault)),
        };
        match self.missing(&applied).await?.first() {
            None => Ok(()),
            Some(first) => Err(invalid!(
                "{} is not migrated: it lacks {:?}",
                self.client.place,
                first.name()
            )),
        }
    }

    /// Runs what is missing; `false` if another node took over.
    async fn run(&self) -> Result<bool> {
        let applied = self.applied().await.map_err(|fault| self.error(fault))?;
        for migration in self.missing(&applied).await? {
            if !self.lock().await? {
                return Ok(false);
            }
            tracing::info!(migration = migration.name(), database = %self.client.place, "migrating");
            self.step(migration).await?;
        }
        Ok(true)
    }

    async fn step(&self, migration: &Migration) -> Result<()> {
        let named = |fault: Fault| match fault {
            Fault::Answer(error) => error,
            fault => Error::Unavailable {
                reason: format!(
                    "{}: migration {:?}: {}",
                    self.client.place,
                    migration.name(),
                    fault.reason()
                ),
            },
        };
        self.make(migration.sql()).await.map_err(named)?;
        let apply = || fixed(APPLY).bind(migration.name().to_owned());
        self.client.read(apply).await.map_err(named)?;
        Ok(())
    }

    /// Which are missing; localities are only for a database with regions.
    async fn missing(&self, applied: &HashSet<String>) -> Result<Vec<&'a Migration>> {
        let known: HashSet<_> = self.migrations.iter().map(|m| m.name()).collect();
        if let Some(newer) = applied.iter().find(|name| !known.contains(name.as_str())) {
            return Err(invalid!(
                "{} was migrated by a newer version: it has {newer:?}, which this one does not know",
                self.client.place
            ));
        }
        let locality = |m: &&&Migration| m.engine() == Some(Engine::Cockroach);
        let mut missing: Vec<_> = self
            .migrations
            .iter()
            .filter(|m| !applied.contains(m.name()))
            .copied()
            .collect();
        if missing.iter().any(|m| locality(&m)) && !self.has_regions().await {
            missing.retain(|m| !locality(&m));
        }
        Ok(missing)
    }

    async fn has_regions(&self) -> bool {
        match self.client.read(|| fixed(REGIONS)).await {
            Ok(regions) => !regions.is_empty(),
            Err(fault) => {
                tracing::debug!(reason = fault.reason(), "the database has no regions");
                false
            }
        }
    }

    async fn applied(&self) -> Result<HashSet<String>, Fault> {
        let rows = self.client.read(|| fixed(APPLIED)).await?;
        let name = |row: &sqlx::postgres::PgRow| Ok(row.try_get::<String, _>(0)?);
        rows.iter().map(name).collect()
    }

    async fn own_tables(&self) -> Result<()> {
        for table in [LOCK_TABLE, MIGRATIONS_TABLE] {
            self.make(table).await.map_err(|fault| self.error(fault))?;
        }
        Ok(())
    }

    /// Makes what may be made by another at the same time: a node whose lock has expired, or a
    /// connection of one's own that was lost and whose statement still runs.
    async fn make(&self, sql: &str) -> Result<(), Fault> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
            match self.client.once(statement).await {
                Ok(_) => return Ok(()),
                // PostgreSQL lets one of those that make a table at once fail.
                Err(Fault::Refused(_) | Fault::Again(_) | Fault::Lost(_)) if left > 0 => {
                    tokio::time::sleep(ASK / 4).await;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Takes the lock or renews it; `false` if another holds it.
    async fn lock(&self) -> Result<bool> {
        let lease = i64::try_from(self.options.migrate_lease.as_millis()).unwrap_or(i64::MAX);
        let lock = || fixed(LOCK).bind(self.owner).bind(lease);
        match self.client.read(lock).await {
            Ok(rows) => Ok(!rows.is_empty()),
            Err(fault) => Err(self.error(fault)),
        }
    }

    fn error(&self, fault: Fault) -> Error {
        match fault {
            Fault::Answer(error) => error,
            fault => Error::Unavailable {
                reason: format!("{}: {}", self.client.place, fault.reason()),
            },
        }
    }
}

/// Refuses a database whose tables are not as declared.
pub(super) async fn verify(client: &Client, schemas: &[Schema]) -> Result<()> {
    let rows = client
        .read(|| fixed(TABLES))
        .await
        .map_err(Fault::into_error)?;
    let mut tables: HashMap<String, HashSet<String>> = HashMap::new();
    for row in rows {
        let pair = || Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?));
        let (table, column) = pair().map_err(|e| Fault::from(e).into_error())?;
        tables.entry(table).or_default().insert(column);
    }
    for schema in schemas {
        let table = schema.table();
        let has = tables
            .get(table)
            .ok_or_else(|| invalid!("{} is not migrated: it lacks table {table}", client.place))?;
        let fixed = ["scope", "id", "version", "bytes", "doc"];
        let mut declared = fixed
            .into_iter()
            .chain(schema.columns().iter().map(Column::name));
        if let Some(column) = declared.find(|column| !has.contains(*column)) {
            return Err(invalid!(
                "{} is not migrated: its table {table} lacks column {column}",
                client.place
            ));
        }
    }
    Ok(())
}
