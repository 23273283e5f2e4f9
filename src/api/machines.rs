//! What the operations on sizes, layouts and partitions ask of machines.

use futures::future::BoxFuture;

use super::ApiError;
use crate::domain::{Machine, MachineQuery};

/// Where machines are known.
pub trait Machines: Send + Sync {
    /// The machine of this id.
    ///
    /// # Errors
    /// What the caller is answered if it cannot be told.
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Machine>, ApiError>>;

    /// Every machine that is meant.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn list<'a>(&'a self, query: &'a MachineQuery)
    -> BoxFuture<'a, Result<Vec<Machine>, ApiError>>;
}

/// No machine has registered: this version has no operation to do so.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMachines;

// === impl NoMachines ===

impl Machines for NoMachines {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Machine>, ApiError>> {
        Box::pin(async { Ok(None) })
    }

    fn list<'a>(&'a self, _: &'a MachineQuery) -> BoxFuture<'a, Result<Vec<Machine>, ApiError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl dyn Machines {
    /// The machine of this id, 404 if there is none.
    pub(super) async fn get(&self, id: &str) -> Result<Machine, ApiError> {
        self.find(id)
            .await?
            .ok_or_else(|| ApiError::no_entity("machine", id))
    }
}
