use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use metal_storage::{Batch, Column, Field, Key, Name, Record, Schema, Scope, Value, Write};

const THING: Schema = Schema::new(
    "thing",
    &[Column::int("number").unique(), Column::int("parity")],
);

pub const SCHEMAS: &[Schema] = &[THING];

/// Bytes of a document, about.
pub const DOCUMENT: usize = 400;

pub fn scope(name: &str) -> Scope {
    Scope::Partition(name.try_into().unwrap())
}

/// A number that no other record has.
pub fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn document(bytes: usize) -> Bytes {
    Bytes::from(format!("\"{}\"", "x".repeat(bytes)))
}

/// A batch of new records.
pub fn batch(scope: &Scope, records: usize, bytes: usize) -> Batch {
    let mut batch = Batch::new(scope.clone());
    let field = |name, value, unique| Field {
        name: Name::from_static(name),
        value: Value::Int(value),
        unique,
    };
    for _ in 0..records {
        let number = next();
        let table = Name::from_static(THING.table());
        let value = i64::try_from(number).unwrap();
        batch.writes.push(Write::Put(Record {
            key: Key::new(scope.clone(), table, &format!("{number:010}")).unwrap(),
            fields: vec![
                field("number", value, true),
                field("parity", value % 2, false),
            ],
            doc: document(bytes),
        }));
    }
    batch
}
