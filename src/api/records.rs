//! How the entities are stored, and what every handler does with them.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use metal_storage::{
    Column, Entity, Error, Filter, Read, Schema, Scope, Store, Stored, Table, Value,
};

use super::ApiError;
use super::wire::moment;
use crate::domain::{FilesystemLayout, Image, Partition, Project, Size, Tenant, Timestamps};

/// An entity with the name that errors call it by.
pub(super) trait Named: Entity {
    const NAME: &'static str;
}

/// The records of one kind in the global scope.
pub(super) struct Records<E>(Table<E>);

// === impl Records ===

impl<E: Named> Records<E> {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        Self(Table::new(Arc::clone(store), Scope::Global))
    }

    /// The table, for what is decided by its conflicts.
    pub fn table(&self) -> &Table<E> {
        &self.0
    }

    /// The record of `id`, 404 if there is none.
    pub async fn get(&self, id: &str) -> Result<Stored<E>, ApiError> {
        self.find(id)
            .await?
            .ok_or_else(|| ApiError::no_entity(E::NAME, id))
    }

    pub async fn find(&self, id: &str) -> Result<Option<Stored<E>>, ApiError> {
        Ok(self.0.get(id, Read::Latest).await?)
    }

    /// 409 if there is a record of `id`.
    pub async fn absent(&self, id: &str) -> Result<(), ApiError> {
        match self.find(id).await? {
            Some(_) => Err(exists::<E>(id)),
            None => Ok(()),
        }
    }

    pub async fn list(&self, filter: Filter) -> Result<Vec<E>, ApiError> {
        let stored = self.0.list(filter, Read::Latest).await?;
        Ok(stored.into_iter().map(|stored| stored.value).collect())
    }

    /// Adds a record; 409 if there is one of its id.
    pub async fn insert(&self, entity: &E) -> Result<(), ApiError> {
        match self.0.insert(entity).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(exists::<E>(entity.id())),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces a record as it was read; 409 if it was changed or deleted since.
    pub async fn replace(&self, old: &Stored<E>, new: &E) -> Result<(), ApiError> {
        match self.0.replace(old, new).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(changed::<E>(new.id())),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a record as it was read; 409 if it was changed or deleted since.
    pub async fn delete(&self, old: &Stored<E>) -> Result<(), ApiError> {
        match self.0.delete(old).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(changed::<E>(old.value.id())),
            Err(error) => Err(error.into()),
        }
    }
}

/// 409 if the client says which state it has read and that is not the stored one.
pub(super) fn unchanged<E: Named>(
    id: &str,
    stored: Timestamps,
    read: Option<DateTime<Utc>>,
) -> Result<(), ApiError> {
    match moment(read) {
        Some(read) if read.trunc_subsecs(3) != stored.changed => Err(changed::<E>(id)),
        _ => Ok(()),
    }
}

/// 409: there is such a record already.
pub(super) fn exists<E: Named>(id: &str) -> ApiError {
    ApiError::conflict(format!("{} with id {id:?} already exists", E::NAME))
}

/// 409: somebody else was faster.
pub(super) fn changed<E: Named>(id: &str) -> ApiError {
    ApiError::conflict(format!(
        "{} with id {id:?} was changed since it was read",
        E::NAME
    ))
}

macro_rules! named {
    ($($entity:ident, $name:literal, $table:literal;)+) => {
        $(impl Named for $entity {
            const NAME: &'static str = $name;
        }

        impl Entity for $entity {
            const SCHEMA: Schema = Schema::new($table, &[Column::text("name")]);

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn columns(&self) -> Vec<Value> {
                vec![Value::from(&self.name)]
            }
        })+
    };
}

named!(
    Tenant, "tenant", "tenant";
    Partition, "partition", "partition";
    Size, "size", "size";
    FilesystemLayout, "filesystemlayout", "filesystemlayout";
);

impl Named for Project {
    const NAME: &'static str = "project";
}

impl Entity for Project {
    const SCHEMA: Schema = Schema::new("project", &[Column::text("tenant"), Column::text("name")]);

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::from(self.tenant.as_str()), Value::from(&self.name)]
    }
}

impl Named for Image {
    const NAME: &'static str = "image";
}

impl Entity for Image {
    const SCHEMA: Schema = Schema::new("image", &[Column::text("os"), Column::text("name")]);

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::from(self.id.os()), Value::from(&self.name)]
    }
}
