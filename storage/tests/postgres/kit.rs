//! What the tests are written with.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use metal_storage::conformance::SCHEMAS;
use metal_storage::{
    Batch, Error, Field, Key, Name, Record, Result, Scope, Sql, SqlOptions, Value, Write,
};

use crate::postgres::Postgres;

/// The server that tests share which do not hurt it.
pub fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// The name of a new, empty database there.
pub fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("db{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server().create_database(&name);
    name
}

pub fn options(database: &str) -> SqlOptions {
    let mut options = SqlOptions::new(&server().url(database)).unwrap();
    options.connections = 4;
    options
}

pub async fn open(options: &SqlOptions) -> Sql {
    Sql::connect(options.clone(), SCHEMAS).await.unwrap()
}

/// Why a store does not open.
pub async fn refused(options: SqlOptions) -> Error {
    let begun = std::time::Instant::now();
    let error = Sql::connect(options, SCHEMAS).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30), "{error}");
    let said = error.to_string();
    assert!(!said.contains(crate::postgres::PASSWORD), "{said}");
    error
}

pub fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("other"), id).unwrap()
}

/// A record of table `other`, whose `name` is unique.
pub fn record(id: &str, name: impl Into<Value>) -> Record {
    let field = |column: &'static str, value: Value, unique| Field {
        name: Name::from_static(column),
        value,
        unique,
    };
    Record {
        key: key(id),
        fields: vec![
            field("name", name.into(), true),
            field("group", Value::Int(1), false),
        ],
        doc: "{}".into(),
    }
}

pub fn put(id: &str) -> Batch {
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(record(id, id)));
    batch
}

/// What must not hang.
pub async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it hangs")
}

pub fn is_unavailable<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Unavailable { .. }))
}
