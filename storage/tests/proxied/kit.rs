//! What the tests are written with.

use metal_storage::{Batch, Field, Key, Name, Record, Scope, Write};

pub fn key(id: &str) -> Key {
    Key::new(Scope::Global, Name::from_static("other"), id).unwrap()
}

/// A batch that writes one record of table `other`, whose `name` is unique.
pub fn put(id: &str) -> Batch {
    let field = |name, value, unique| Field {
        name: Name::from_static(name),
        value,
        unique,
    };
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: key(id),
        fields: vec![
            field("name", id.into(), true),
            field("group", 1.into(), false),
        ],
        doc: "{}".into(),
    }));
    batch
}
