//! How the entities are stored, and what every handler does with them.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use metal_storage::{
    Batch, Column, Entity, Error, Filter, Key, Read, Schema, Scope, Store, Stored, Table, Value,
};

use super::ApiError;
use super::commit::commit;
use super::wire::moment;
use crate::domain::{
    FilesystemLayout, Image, Partition, Project, Size, SizeImageConstraint, SizeReservation,
    Tenant, Timestamps,
};

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

    /// The key of a record.
    pub fn key(&self, id: &str) -> Result<Key, ApiError> {
        Ok(self.0.key(id)?)
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
        let mut batch = self.batch();
        batch.insert(entity)?;
        match commit(self.0.store(), batch).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(exists::<E>(entity.id())),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces a record as it was read; 409 if it was changed or deleted since.
    pub async fn replace(&self, old: &Stored<E>, new: &E) -> Result<(), ApiError> {
        match self.try_replace(old, new).await {
            Err(Error::Conflict(_)) => Err(changed::<E>(new.id())),
            outcome => Ok(outcome?),
        }
    }

    /// Deletes a record as it was read; 409 if it was changed or deleted since.
    pub async fn delete(&self, old: &Stored<E>) -> Result<(), ApiError> {
        match self.try_delete(old).await {
            Err(Error::Conflict(_)) => Err(changed::<E>(old.value.id())),
            outcome => Ok(outcome?),
        }
    }

    /// Replaces a record as it was read, and leaves a conflict to the caller.
    pub async fn try_replace(&self, old: &Stored<E>, new: &E) -> Result<(), Error> {
        let mut batch = self.batch();
        batch.replace(old, new)?;
        commit(self.0.store(), batch).await.map(drop)
    }

    /// Deletes a record as it was read, and leaves a conflict to the caller.
    pub async fn try_delete(&self, old: &Stored<E>) -> Result<(), Error> {
        let mut batch = self.batch();
        batch.delete(old)?;
        commit(self.0.store(), batch).await.map(drop)
    }

    fn batch(&self) -> Batch {
        Batch::new(self.0.scope().clone())
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
    SizeImageConstraint, "sizeimageconstraint", "sizeimageconstraint";
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

impl Named for SizeReservation {
    const NAME: &'static str = "size reservation";
}

impl Entity for SizeReservation {
    const SCHEMA: Schema = Schema::new(
        "sizereservation",
        &[Column::text("size"), Column::text("project")],
    );

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::from(self.size.as_str()),
            Value::from(self.project.as_str()),
        ]
    }
}
