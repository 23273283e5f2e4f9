//! The stores of a node, and the engines that they can be on.
//!
//! An engine is a file of this folder with a [`Kind`], and a line in [`KINDS`]; nothing else
//! knows which there are.

mod etcd;
pub mod info;
mod late;
mod memory;
mod open;
mod problem;
mod redb;
mod sql;
pub mod stale;
mod standby;

use std::sync::Arc;

use futures::future::BoxFuture;
use metal_storage::backup::Part;
use metal_storage::{Filter, Read, Result, Scope, ScopeName, Stats, Store, Table};
use tokio::time::timeout;

use self::late::Late;
pub use self::open::{Mode, Stores};
pub(crate) use self::problem::{Problem, look, look_at_file};
use crate::config::{Config, DataDir, StoreSettings, StoreUrl};
use crate::domain::Partition;

/// Every engine.
const KINDS: &[&Kind] = &[&redb::KIND, &sql::KIND, &etcd::KIND, &memory::KIND];

/// What the node wants of a store beyond the four verbs.
pub trait Engine: Store {
    /// The engine's name.
    fn engine(&self) -> &'static str;

    /// What and where it is, without credentials. May ask it, bounded.
    fn facts(&self) -> BoxFuture<'_, Facts>;

    /// Figures since it was opened.
    fn stats(&self) -> Stats;

    /// Commits what waits and closes it.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// What a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its version, where that is known.
    pub version: Option<String>,
    /// Where it is.
    pub place: String,
    /// Bytes that it takes there, where that is known.
    pub bytes: Option<u64>,
}

/// An engine.
pub(crate) struct Kind {
    /// The name that stands for it, or the schemes of its URLs.
    names: &'static [&'static str],
    /// How it is written, for messages.
    example: &'static str,
    /// Whether a URL makes sense; looks at nothing else. An error repeats no secret.
    check_url: fn(&StoreUrl) -> Result<(), String>,
    /// Opens it.
    open: Open,
}

type Open =
    for<'a> fn(&'a StoreSettings, &'a DataDir, Mode) -> BoxFuture<'a, Result<Arc<dyn Engine>>>;

/// Whether a URL names an engine and makes sense to it.
pub(crate) fn check_url(url: &StoreUrl) -> Result<(), String> {
    match kind(url) {
        Some(kind) => (kind.check_url)(url),
        None => Err(format!("expected {}", expected())),
    }
}

/// What a URL of a store can be.
pub(crate) fn expected() -> String {
    let examples: Vec<_> = KINDS.iter().map(|kind| kind.example).collect();
    examples.join(" or ")
}

fn kind(url: &StoreUrl) -> Option<&'static Kind> {
    let named = |kind: &&&Kind| kind.names.contains(&url.scheme());
    KINDS.iter().copied().find(|kind| named(&kind))
}

/// The scopes that every node keeps: the global one and its partition's, in this order.
///
/// # Errors
/// A partition that names no scope.
pub fn own_parts<'a>(config: &Config, stores: &'a Stores) -> anyhow::Result<Vec<Part<'a>>> {
    let partition = config.partition.as_str().try_into()?;
    let part = |scope, store: &'a Arc<dyn Engine>| Part {
        scope,
        store: &**store as &dyn Store,
    };
    Ok(vec![
        part(Scope::Global, &stores.global),
        part(Scope::Partition(partition), &stores.local),
    ])
}

/// The scopes that a node keeps: its own, and those of the other partitions that the global store
/// knows. Asks it.
///
/// # Errors
/// Why it could not say which there are.
pub async fn parts<'a>(config: &Config, stores: &'a Stores) -> anyhow::Result<Vec<Part<'a>>> {
    let mut parts = own_parts(config, stores)?;
    let table =
        Table::<Partition>::new(Arc::clone(&stores.global) as Arc<dyn Store>, Scope::Global);
    for partition in table.list(Filter::all(), Read::Latest).await? {
        // One whose id names no scope has none.
        let Ok(name) = ScopeName::try_from(partition.value.id.as_str()) else {
            continue;
        };
        let scope = Scope::Partition(name);
        if parts.iter().all(|part| part.scope != scope) {
            let store = &*stores.local as &dyn Store;
            parts.push(Part { scope, store });
        }
    }
    Ok(parts)
}

/// As [`parts`]; only the node's own if the global store does not say which there are.
///
/// # Errors
/// As [`own_parts`].
pub async fn known_parts<'a>(config: &Config, stores: &'a Stores) -> anyhow::Result<Vec<Part<'a>>> {
    match timeout(info::PATIENCE, parts(config, stores)).await {
        Ok(Ok(parts)) => Ok(parts),
        Ok(Err(_)) | Err(_) => own_parts(config, stores),
    }
}

/// The four verbs of a type, by its field that has them.
macro_rules! forward {
    ($type:ty, $field:ident) => {
        impl Store for $type {
            fn get<'a>(
                &'a self,
                key: &'a Key,
                read: Read,
            ) -> metal_storage::BoxFuture<'a, Result<Option<Stored<Record>>>> {
                self.$field.get(key, read)
            }

            fn list<'a>(
                &'a self,
                query: &'a Query,
                read: Read,
            ) -> metal_storage::BoxFuture<'a, Result<Page>> {
                self.$field.list(query, read)
            }

            fn commit(&self, batch: Batch) -> metal_storage::BoxFuture<'_, Result<Revision>> {
                self.$field.commit(batch)
            }

            fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
                self.$field.watch(scope, since)
            }
        }
    };
}
use forward;
