use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};

use super::engine::Engine;
use super::options::SqlOptions;
use super::read::Reader;
use super::statements::CHANNEL;
use crate::error::Result;
use crate::heads::Heads;
use crate::revision::Revision;

/// The pause before one listens again after an error.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells the heads of what other nodes commit: from notifications on PostgreSQL, and by looking
/// at the watched scopes now and then on both. Runs until it is dropped.
pub(super) async fn follow(reader: Arc<Reader>, heads: Arc<Heads>, options: SqlOptions) {
    match options.engine {
        Engine::Cockroach => loop {
            tokio::time::sleep(options.poll).await;
            look(&reader, &heads).await;
        },
        Engine::Postgres => loop {
            if let Err(error) = listen(&reader, &heads, &options).await {
                tracing::warn!(%error, "notifications of the database are interrupted");
            }
            tokio::time::sleep(PAUSE).await;
            look(&reader, &heads).await;
        },
    }
}

/// Listens on a connection of its own until that fails.
async fn listen(reader: &Reader, heads: &Heads, options: &SqlOptions) -> Result<(), sqlx::Error> {
    let pool = listeners(options)?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // What was committed before one listened.
    look(reader, heads).await;
    loop {
        match tokio::time::timeout(options.poll, listener.try_recv()).await {
            Ok(Ok(Some(told))) => {
                if let Some((scope, revision)) = told.payload().split_once(' ')
                    && let (Ok(scope), Ok(revision)) = (scope.parse(), revision.parse())
                {
                    heads.advance(&scope, Revision::new(revision));
                }
            }
            Ok(Ok(None)) => return Err(sqlx::Error::PoolClosed),
            Ok(Err(error)) => return Err(error),
            Err(_) => look(reader, heads).await,
        }
    }
}

fn listeners(options: &SqlOptions) -> Result<PgPool, sqlx::Error> {
    let connect = options
        .checked()
        .map_err(|e| sqlx::Error::Configuration(e.into()))?;
    Ok(PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.connect_wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect))
}

/// Asks where the scopes are that someone waits for.
async fn look(reader: &Reader, heads: &Heads) {
    let scopes = heads.followed();
    if scopes.is_empty() {
        return;
    }
    match reader.heads(&scopes).await {
        Ok(found) => {
            for (scope, revision) in found {
                heads.advance(&scope, revision);
            }
        }
        Err(error) => tracing::debug!(%error, "cannot look for what is new"),
    }
}
