use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metal_edge::ipam::{Free, Pool};
use metal_storage::{Entity, Memory, Redb, RedbOptions, Schema, Sql, SqlOptions, Store};
use tempfile::TempDir;

use crate::postgres::Postgres;

const SCHEMAS: &[Schema] = &[Pool::SCHEMA, Free::SCHEMA];

/// Where our pools are.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Postgres,
    Redb,
    Memory,
}

/// A new store.
pub struct Opened {
    store: Arc<dyn Store>,
    _folder: Option<TempDir>,
}

// === impl Engine ===

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "metal-edge, PostgreSQL",
            Self::Redb => "metal-edge, redb",
            Self::Memory => "metal-edge, memory",
        }
    }

    pub async fn open(self, server: &Postgres) -> Opened {
        match self {
            Self::Postgres => {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                let name = format!("ours{}", NEXT.fetch_add(1, Ordering::Relaxed));
                let options = SqlOptions::new(&server.create_database(&name)).unwrap();
                Opened {
                    store: Arc::new(Sql::connect(options, SCHEMAS).await.unwrap()),
                    _folder: None,
                }
            }
            Self::Redb => {
                // On the disk of the target folder: that of temporary files may be memory.
                let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                let file = folder.path().join("store.redb");
                Opened {
                    store: Arc::new(Redb::open(file, RedbOptions::default()).unwrap()),
                    _folder: Some(folder),
                }
            }
            Self::Memory => Opened {
                store: Arc::new(Memory::new()),
                _folder: None,
            },
        }
    }
}

// === impl Opened ===

impl Opened {
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}
