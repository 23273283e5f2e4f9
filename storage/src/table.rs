use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures::StreamExt;

use crate::batch::Batch;
use crate::entity::{Entity, entity};
use crate::error::{Error, Result, invalid};
use crate::key::Key;
use crate::name::Name;
use crate::query::{Filter, Query};
use crate::record::Stored;
use crate::reindex::{Reindexed, reindex, reindex_once};
use crate::revision::{Revision, Version};
use crate::scope::Scope;
use crate::store::{BoxStream, Read, Store};
use crate::table_change::TableChange;
use crate::value::Value;

/// What a list gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<E> {
    /// What matches, ordered by id.
    pub found: Vec<Stored<E>>,
    /// What cannot be read: an [`Error::Corrupt`](crate::Error::Corrupt) for each, naming it.
    pub unreadable: Vec<Error>,
    /// The revision of its first page: whoever watches from here misses nothing, and may be told
    /// again what a later page showed.
    pub revision: Revision,
}

/// The entities of one kind in one scope. Cloning is cheap.
pub struct Table<E> {
    store: Arc<dyn Store>,
    scope: Scope,
    entity: PhantomData<fn() -> E>,
}

// === impl Table ===

impl<E: Entity> Table<E> {
    /// The table of `E` in `scope`, kept by `store`.
    pub fn new(store: Arc<dyn Store>, scope: Scope) -> Self {
        Self {
            store,
            scope,
            entity: PhantomData,
        }
    }

    /// The scope that owns it.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The store that keeps it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key of a record.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if no record can have this id.
    pub fn key(&self, id: &str) -> Result<Key> {
        Key::new(self.scope.clone(), Self::name(), id)
    }

    /// The entity of this id. An id that none can have is merely not found. Costs O(log n).
    ///
    /// # Errors
    /// As [`Store::get`], and [`Corrupt`](crate::Error::Corrupt) if what is stored is no `E`.
    pub async fn get(&self, id: &str, read: Read) -> Result<Option<Stored<E>>> {
        let Ok(key) = self.key(id) else {
            return Ok(None);
        };
        match self.store.get(&key, read).await? {
            Some(stored) => entity(&stored).map(Some),
            None => Ok(None),
        }
    }

    /// Every entity that matches, ordered by id. Reads page after page: a commit between two of
    /// them may show in the later one. Costs what [`Store::list`] says, and memory for the whole
    /// answer.
    ///
    /// # Errors
    /// As [`Store::list`]; [`Invalid`](crate::Error::Invalid) for a condition on what is no
    /// declared column, or of another kind; [`Corrupt`](crate::Error::Corrupt) naming the first
    /// record that is no `E`.
    pub async fn list(&self, filter: Filter, read: Read) -> Result<Vec<Stored<E>>> {
        let mut listed = self.list_readable(filter, read).await?;
        match listed.unreadable.is_empty() {
            true => Ok(listed.found),
            false => Err(listed.unreadable.swap_remove(0)),
        }
    }

    /// Every entity that matches and can be read, ordered by id, and an error for each that
    /// cannot. Reads and costs as [`list`](Self::list).
    ///
    /// # Errors
    /// As [`list`](Self::list), but for [`Corrupt`](crate::Error::Corrupt).
    pub async fn list_readable(&self, filter: Filter, read: Read) -> Result<Listed<E>> {
        let mut query = self.query(filter)?;
        let mut listed = Listed {
            found: Vec::new(),
            unreadable: Vec::new(),
            revision: Revision::ZERO,
        };
        let mut first = None;
        loop {
            let page = self.store.list(&query, read).await?;
            listed.revision = *first.get_or_insert(page.revision);
            listed.unreadable.extend(page.unreadable);
            for stored in &page.records {
                match entity(stored) {
                    Ok(stored) => listed.found.push(stored),
                    Err(error) => listed.unreadable.push(error),
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(listed),
            }
        }
    }

    /// Every change of the scope after `since`, as [`Store::watch`], with what it did to this
    /// table. One that did nothing to it is given too, so that resuming from the last one seen
    /// never asks for what is long forgotten. To follow a table from now on, list it and watch
    /// from [`Listed::revision`].
    ///
    /// # Errors
    /// As [`Store::watch`]. A record that is no `E` does not end the stream.
    pub fn watch(&self, since: Revision) -> BoxStream<'static, Result<TableChange<E>>> {
        let changes = self.store.watch(self.scope.clone(), since);
        Box::pin(changes.map(|change| change.map(TableChange::of)))
    }

    /// Writes each record anew whose columns are not those that its entity gives now: after a
    /// column was added to the schema, became unique, or is worked out in another way. Until
    /// then, lists by such a column miss the records written before. Each is a commit of its own,
    /// so that it can be interrupted, repeated, and run while others write; the scope's owner
    /// calls it before it serves. Costs a list of the table, and a commit for each record that is
    /// written.
    ///
    /// # Errors
    /// As [`Store::list`] and [`Store::commit`]; what is wrong with one record is in the answer.
    pub async fn reindex(&self) -> Result<Reindexed> {
        reindex::<E>(self.store.as_ref(), &self.scope).await
    }

    /// [Reindexes](Self::reindex) the table unless table `notes` of the same scope, which has no
    /// columns, says that this was done since its schema changed last; then notes that, under an
    /// id that begins with `columns of`. Interrupted, it goes on from the last page. An empty
    /// table is not noted. A record that is refused keeps the rest from being noted, so that all
    /// are tried the next time. Costs one read when there is nothing to do; several nodes may
    /// call it at once.
    ///
    /// # Errors
    /// As [`reindex`](Self::reindex).
    pub async fn reindex_once(&self, notes: &Name) -> Result<Reindexed> {
        reindex_once::<E>(self.store.as_ref(), &self.scope, notes).await
    }

    /// The entity whose unique column holds this. Costs O(log n).
    ///
    /// # Errors
    /// As [`list`](Self::list), and [`Invalid`](crate::Error::Invalid) if the column is not
    /// unique.
    pub async fn find(
        &self,
        column: &'static str,
        value: impl Into<Value>,
        read: Read,
    ) -> Result<Option<Stored<E>>> {
        let unique = E::SCHEMA.column(column).is_some_and(|c| c.is_unique());
        let value = value.into();
        if !unique || value == Value::Null {
            return Err(invalid!(
                "{column} = {value} of table {} may be held by many",
                E::SCHEMA.table()
            ));
        }
        let mut query = self.query(Filter::eq(column, value))?;
        query.limit = 1;
        let page = self.store.list(&query, read).await?;
        if let Some(error) = page.unreadable.into_iter().next() {
            return Err(error);
        }
        page.records.first().map(entity).transpose()
    }

    /// At most `limit` entities that match, ordered by id, the first of them after the id `after`;
    /// fewer, or none, only if there are no more, or the page is full. Costs one
    /// [`Store::list`].
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn page(
        &self,
        filter: Filter,
        after: Option<&str>,
        limit: usize,
        read: Read,
    ) -> Result<Vec<Stored<E>>> {
        let mut query = self.query(filter)?;
        query.after = after.map(str::to_owned);
        query.limit = limit;
        let page = self.store.list(&query, read).await?;
        match page.unreadable.into_iter().next() {
            Some(error) => Err(error),
            None => page.records.iter().map(entity).collect(),
        }
    }

    /// Adds an entity that must not exist yet.
    ///
    /// # Errors
    /// As [`Store::commit`]; [`Conflict`](crate::Error::Conflict) if there is one of this id.
    pub async fn insert(&self, entity: &E) -> Result<Stored<E>> {
        let mut batch = Batch::new(self.scope.clone());
        batch.insert(entity)?;
        self.put(batch, entity).await
    }

    /// Replaces an entity that must be as it was read.
    ///
    /// # Errors
    /// As [`Store::commit`]; [`Conflict`](crate::Error::Conflict) if it was changed or deleted
    /// since.
    pub async fn replace(&self, old: &Stored<E>, entity: &E) -> Result<Stored<E>> {
        let mut batch = Batch::new(self.scope.clone());
        batch.replace(old, entity)?;
        self.put(batch, entity).await
    }

    /// Deletes an entity that must be as it was read.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub async fn delete(&self, old: &Stored<E>) -> Result<Revision> {
        let mut batch = Batch::new(self.scope.clone());
        batch.delete(old)?;
        self.store.commit(batch).await
    }

    async fn put(&self, batch: Batch, entity: &E) -> Result<Stored<E>> {
        let revision = self.store.commit(batch).await?;
        Ok(Stored {
            value: entity.clone(),
            version: Version::from(revision),
        })
    }

    fn query(&self, filter: Filter) -> Result<Query> {
        let mut query = Query::new(self.scope.clone(), Self::name());
        query.prefix = filter.prefix;
        for (column, value) in filter.equal {
            let known = E::SCHEMA.column(&column);
            if !known.is_some_and(|known| value.is(known.kind())) {
                return Err(invalid!(
                    "table {} has no column {column} that can hold {value}",
                    E::SCHEMA.table()
                ));
            }
            query.equal.push((Name::new(column)?, value));
        }
        Ok(query)
    }

    fn name() -> Name {
        Name::from_static(E::SCHEMA.table())
    }
}

impl<E> Clone for Table<E> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            scope: self.scope.clone(),
            entity: PhantomData,
        }
    }
}

impl<E: Entity> fmt::Debug for Table<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} {})", self.scope, E::SCHEMA.table())
    }
}
