use std::sync::atomic::{AtomicUsize, Ordering};

use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Etcd, Key, Page, Query, Read, Record, Result, Revision,
    Scope, Store, Stored,
};

/// Nodes with one store, each of which is asked in turn, as if clients changed the node with
/// every request; but reads that may be old are asked of one, since another may be older than what
/// this one has shown.
pub struct Several {
    nodes: Vec<Etcd>,
    next: AtomicUsize,
}

// === impl Several ===

impl Several {
    pub fn new(nodes: Vec<Etcd>) -> Self {
        Self {
            nodes,
            next: AtomicUsize::new(0),
        }
    }

    fn reader(&self, read: Read) -> &Etcd {
        match read {
            Read::Latest => self.node(),
            Read::AtLeast(_) | Read::Stale => &self.nodes[0],
        }
    }

    fn node(&self) -> &Etcd {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.nodes[next % self.nodes.len()]
    }
}

impl Store for Several {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        self.reader(read).get(key, read)
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        self.reader(read).list(query, read)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        self.node().commit(batch)
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.node().watch(scope, since)
    }
}
