//! The suite on the model itself.
use std::sync::Arc;

use metal_storage::conformance::Backend;
use metal_storage::{BoxFuture, Memory, Store};

struct InMemory;

impl Backend for InMemory {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move { Arc::new(Memory::with_history(history)) as Arc<dyn Store> })
    }
}

metal_storage::conformance!(InMemory);
