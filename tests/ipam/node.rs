use std::sync::Arc;

use metal_edge::ipam::Ipam;
use metal_storage::{Scope, Store};
use tokio::runtime::{Builder, Runtime};

use crate::fault::Faults;
use crate::traffic::{Client, Clients};

/// One node with clients: a runtime of its own, that ends without a word when it is killed.
pub struct Node(Option<Runtime>);

// === impl Node ===

impl Node {
    /// Starts a node and so many clients of it.
    pub fn start<F: Faults>(faults: &F, clients: &Arc<Clients>, count: usize) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let connect = faults.connect();
        let clients = Arc::clone(clients);
        runtime.spawn(async move {
            let store: Arc<dyn Store> = connect.await;
            let ipam = Ipam::new(store);
            for _ in 0..count {
                let allocator = ipam.scope(&Scope::Global);
                tokio::spawn(Client::new(&clients, allocator).run());
            }
        });
        Self(Some(runtime))
    }

    /// Ends it in the midst of whatever it does.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}
