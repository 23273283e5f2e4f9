use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metal_storage::{Scope, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Allocator, Metrics, Pools};

/// The allocators of a store, and their owner: one for each scope, which the requests of this
/// node to its pools go through. Cheap to clone.
#[derive(Clone)]
pub struct Ipam {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    allocators: Mutex<HashMap<Scope, Allocator>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    metrics: Metrics,
}

// === impl Ipam ===

impl Ipam {
    /// Of the scopes that `store` keeps.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::counted(store, Metrics::default())
    }

    /// Of the scopes that `store` keeps; counts together with others that count there.
    pub fn counted(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                allocators: Mutex::default(),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
                metrics,
            }),
        }
    }

    /// The allocator of a scope, made when it is asked for first; one whose task failed is made
    /// anew. Called within a runtime.
    pub fn scope(&self, scope: &Scope) -> Allocator {
        let shared = &self.shared;
        let mut allocators = shared
            .allocators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match allocators.get(scope) {
            Some(allocator) if allocator.is_alive() || shared.stop.is_cancelled() => {
                allocator.clone()
            }
            _ => {
                let allocator = Allocator::start(
                    Arc::clone(&shared.store),
                    scope.clone(),
                    shared.metrics.clone(),
                    &shared.tasks,
                    shared.stop.clone(),
                );
                allocators.insert(scope.clone(), allocator.clone());
                allocator
            }
        }
    }

    /// The pools of a scope, to be read.
    pub fn pools(&self, scope: &Scope) -> Pools {
        Pools::new(Arc::clone(&self.shared.store), scope.clone())
    }

    /// What the allocators count.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Carries out what waits, refuses what comes, and returns when every task has ended.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl fmt::Debug for Ipam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ipam(..)")
    }
}
