use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use metal_storage::conformance::{Backend, SCHEMAS};
use metal_storage::{BoxFuture, Etcd, EtcdOptions, Store};

use crate::cluster::{Cluster, Disk, require_etcd};
use crate::several::Several;

/// One for all tests; each store has its own prefix.
pub fn shared() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        require_etcd();
        Cluster::start(Disk::Careless)
    })
}

/// Options for a store that is not there yet.
pub fn fresh_options() -> EtcdOptions {
    EtcdOptions {
        prefix: uuid::Uuid::new_v4().to_string(),
        ..patient(shared())
    }
}

/// Options that are patient enough for a busy machine, and for members that have just been started.
pub fn patient(cluster: &Cluster) -> EtcdOptions {
    EtcdOptions {
        commit_wait: Duration::from_secs(30),
        read_wait: Duration::from_secs(30),
        connect_wait: Duration::from_secs(10),
        request_wait: Duration::from_secs(10),
        queue_wait: Duration::from_secs(10),
        ..cluster.options()
    }
}

pub struct InEtcd {
    nodes: usize,
    last: Mutex<Option<EtcdOptions>>,
}

// === impl InEtcd ===

impl InEtcd {
    fn of(nodes: usize) -> Self {
        Self {
            nodes,
            last: Mutex::default(),
        }
    }

    async fn open(&self, options: EtcdOptions) -> Arc<dyn Store> {
        let mut nodes = Vec::new();
        for node in 0..self.nodes {
            let mut options = options.clone();
            options.endpoints.rotate_left(node % 3);
            nodes.push(Etcd::connect(options, SCHEMAS).await.unwrap());
        }
        Arc::new(Several::new(nodes))
    }
}

impl Backend for InEtcd {
    fn fresh(&self, history: u64) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move {
            let options = EtcdOptions {
                history_revisions: history,
                ..fresh_options()
            };
            *self.last.lock().unwrap() = Some(options.clone());
            self.open(options).await
        })
    }

    fn reopened(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async move {
            let options = self.last.lock().unwrap().clone()?;
            Some(self.open(options).await)
        })
    }

    fn cases(&self) -> u32 {
        24
    }
}

mod one_node {
    metal_storage::conformance!(super::InEtcd::of(1));
}

mod three_nodes_in_turn {
    metal_storage::conformance!(super::InEtcd::of(3));
}
