use std::borrow::Borrow;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, invalid};
use crate::key::Key;
use crate::name::Name;
use crate::record::{Field, Record, Stored};
use crate::schema::Schema;
use crate::scope::Scope;
use crate::value::Value;

/// Something that a [`Table`](crate::Table) holds. Its JSON form is what is stored: a field added
/// later needs a default.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Its table and indexed columns.
    const SCHEMA: Schema;

    /// Its id, which never changes.
    fn id(&self) -> &str;

    /// What its indexed columns hold, in the order of [`Self::SCHEMA`].
    fn columns(&self) -> Vec<Value>;
}

/// The record of an entity.
pub(crate) fn record<E: Entity>(scope: &Scope, entity: &E) -> Result<Record> {
    let schema = E::SCHEMA;
    let key = Key::new(
        scope.clone(),
        Name::from_static(schema.table()),
        entity.id(),
    )?;
    let values = entity.columns();
    if values.len() != schema.columns().len() {
        return Err(invalid!(
            "{key}: {} columns given, {} declared",
            values.len(),
            schema.columns().len()
        ));
    }
    let mut fields = Vec::with_capacity(values.len());
    for (column, value) in schema.columns().iter().zip(values) {
        if !value.is(column.kind()) {
            return Err(invalid!(
                "{key}: column {} is declared {:?} and cannot hold {value}",
                column.name(),
                column.kind()
            ));
        }
        fields.push(Field {
            name: Name::from_static(column.name()),
            value,
            unique: column.is_unique(),
        });
    }
    let doc = serde_json::to_vec(entity).map_err(|e| invalid!("{key}: {e}"))?;
    Ok(Record {
        key,
        fields,
        doc: Bytes::from(doc),
    })
}

/// The entity of a record.
pub(crate) fn entity<E: Entity>(stored: &Stored<impl Borrow<Record>>) -> Result<Stored<E>> {
    let record = stored.value.borrow();
    let value = serde_json::from_slice(&record.doc).map_err(|e| Error::Corrupt {
        what: record.key.to_string(),
        cause: e.to_string(),
    })?;
    Ok(Stored {
        value,
        version: stored.version,
    })
}
