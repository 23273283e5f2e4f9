//! Nothing on disk: for trying things out. Everything is gone when the process ends.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{
    Batch, BoxStream, Change, Key, Memory, Page, Query, Read, Record, Result, Revision, Scope,
    Stats, Store, Stored,
};

use super::{Engine, Facts, Kind};

pub(super) const KIND: Kind = Kind {
    names: &["memory"],
    example: "\"memory\"",
    check_url: |url| match url.is_server() {
        true => Err("\"memory\" alone: it has no place".to_owned()),
        false => Ok(()),
    },
    open: |_, _, _| {
        let store: Arc<dyn Engine> = Arc::new(Volatile {
            store: Memory::new(),
        });
        async { Ok(store) }.boxed()
    },
};

struct Volatile {
    store: Memory,
}

// === impl Volatile ===

impl Engine for Volatile {
    fn engine(&self) -> &'static str {
        "memory"
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        async {
            Facts {
                version: None,
                place: "this process, until it ends".to_owned(),
                bytes: None,
            }
        }
        .boxed()
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

super::forward!(Volatile, store);
