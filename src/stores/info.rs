//! What the stores are and how far: `metal-edge store info`.

use std::time::Duration;

use metal_storage::backup::Part;
use metal_storage::{Name, Query, Read, Result};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Engine, Facts, Stores};
use crate::schemas;

/// How long a store is waited for; whoever asks waits little longer.
pub(super) const PATIENCE: Duration = Duration::from_millis(900);

/// What `metal-edge store info` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// One, or the local one and the global one.
    pub stores: Vec<StoreInfo>,
    /// The scopes that are backed up.
    pub scopes: Vec<ScopeInfo>,
}

/// One store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// `local`, `global`, or `global and local`.
    pub role: String,
    /// Its engine.
    pub engine: String,
    /// The engine's version, where that is known.
    pub version: Option<String>,
    /// Where it is.
    pub place: String,
    /// Bytes that it takes there, where that is known.
    pub bytes: Option<u64>,
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeInfo {
    /// Its name.
    pub scope: String,
    /// How many commits there were; absent if it cannot be read.
    pub revision: Option<u64>,
    /// Why it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

// === impl Info ===

impl Info {
    /// Asks the stores. Costs one read a scope.
    pub async fn of(stores: &Stores, parts: &[Part<'_>]) -> Self {
        let mut shown = Vec::new();
        if stores.is_one() {
            shown.push(StoreInfo::of("global and local", &*stores.local).await);
        } else {
            shown.push(StoreInfo::of("local", &*stores.local).await);
            shown.push(StoreInfo::of("global", &*stores.global).await);
        }
        let mut scopes = Vec::new();
        for part in parts {
            let (revision, error) = match timeout(PATIENCE, revision(part)).await {
                Ok(Ok(revision)) => (Some(revision), None),
                Ok(Err(error)) => (None, Some(error.to_string())),
                Err(_) => (None, Some("it does not answer".to_owned())),
            };
            scopes.push(ScopeInfo {
                scope: part.scope.to_string(),
                revision,
                error,
            });
        }
        Self {
            stores: shown,
            scopes,
        }
    }
}

// === impl StoreInfo ===

impl StoreInfo {
    async fn of(role: &str, store: &dyn Engine) -> Self {
        let facts = timeout(PATIENCE, store.facts()).await.unwrap_or(Facts {
            version: None,
            place: "it does not answer".to_owned(),
            bytes: None,
        });
        Self {
            role: role.to_owned(),
            engine: store.engine().to_owned(),
            version: facts.version,
            place: facts.place,
            bytes: facts.bytes,
        }
    }
}

async fn revision(part: &Part<'_>) -> Result<u64> {
    let table = Name::from_static(schemas::ALL[0].table());
    let mut query = Query::new(part.scope.clone(), table);
    query.limit = 1;
    let page = part.store.list(&query, Read::Latest).await?;
    Ok(page.revision.get())
}
