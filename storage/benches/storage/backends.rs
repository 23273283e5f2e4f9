use std::sync::Arc;
use std::time::Duration;

use metal_storage::{
    Durability, Etcd, EtcdOptions, Memory, Redb, RedbOptions, Sql, SqlOptions, Store,
};
use tempfile::TempDir;

use crate::data::SCHEMAS;

pub fn memory() -> Arc<dyn Store> {
    Arc::new(Memory::new())
}

/// On the disk of the target folder: the folder of temporary files is memory on many machines.
pub fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

pub fn redb() -> (TempDir, Arc<dyn Store>) {
    open(RedbOptions::default())
}

pub fn redb_relaxed() -> (TempDir, Arc<dyn Store>) {
    open(RedbOptions {
        durability: Durability::Within(Duration::from_secs(1)),
        ..RedbOptions::default()
    })
}

fn open(options: RedbOptions) -> (TempDir, Arc<dyn Store>) {
    let folder = folder();
    let store = Redb::open(folder.path().join("store.redb"), options).unwrap();
    (folder, Arc::new(store))
}

pub async fn etcd(options: EtcdOptions) -> Arc<dyn Store> {
    Arc::new(Etcd::connect(options, SCHEMAS).await.unwrap())
}

pub async fn sql(url: &str) -> Arc<dyn Store> {
    let options = SqlOptions::new(url).unwrap();
    Arc::new(Sql::connect(options, SCHEMAS).await.unwrap())
}
