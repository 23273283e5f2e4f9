use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Guard, Write};
use crate::entity::{Entity, entity, record};
use crate::error::{Error, Index, Result, invalid};
use crate::key::Key;
use crate::query::Query;
use crate::record::Record;
use crate::scope::Scope;
use crate::store::{Read, Store};
use crate::{Name, Stored};

/// What [`Table::reindex`](crate::Table::reindex) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Records read.
    pub checked: u64,
    /// Of these, records whose columns were not those that their entity gives now, and are.
    pub written: u64,
    /// What could not be: an error for each record, [`Invalid`](Error::Invalid) if another record,
    /// which it names, holds the value of a column that has become unique,
    /// [`Corrupt`](Error::Corrupt) if it cannot be read.
    pub refused: Vec<Error>,
}

/// How often a record that changes meanwhile is read again.
const TRIES: usize = 10;

/// Records that are written at the same time; they share the store's acknowledgements.
const AT_ONCE: usize = 32;

/// What a table was indexed by, kept in the store itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The columns, [described](crate::Schema::describe).
    columns: String,
    /// Only the records up to this one, so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

pub(crate) async fn reindex<E: Entity>(store: &dyn Store, scope: &Scope) -> Result<Reindexed> {
    let mut query = Query::new(scope.clone(), Name::from_static(E::SCHEMA.table()));
    let mut done = Reindexed::default();
    while let Some(next) = page::<E>(store, &query, &mut done).await? {
        query.after = Some(next);
    }
    Ok(done)
}

/// As [`reindex`], but only what is not noted in table `notes` to be done.
pub(crate) async fn reindex_once<E: Entity>(
    store: &dyn Store,
    scope: &Scope,
    notes: &Name,
) -> Result<Reindexed> {
    let table = E::SCHEMA.table();
    let columns = E::SCHEMA.describe();
    let key = Key::new(scope.clone(), notes.clone(), &format!("columns of {table}"))?;
    let noted = store.get(&key, Read::Latest).await?;
    // What is no note of ours is written anew.
    let noted = noted.and_then(|stored| serde_json::from_slice::<Note>(&stored.value.doc).ok());
    let mut query = Query::new(scope.clone(), Name::from_static(table));
    let mut done = Reindexed::default();
    match noted {
        Some(note) if note.columns == columns => match note.until {
            None => return Ok(done),
            until => query.after = until,
        },
        _ => {}
    }
    loop {
        let next = page::<E>(store, &query, &mut done).await?;
        if done.checked == 0 && query.after.is_none() {
            // Whatever comes is indexed as it is written.
            return Ok(done);
        }
        // What was refused is to be tried again.
        if done.refused.is_empty() {
            let note = Note {
                columns: columns.clone(),
                until: next.clone(),
            };
            write_note(store, &key, &note).await?;
        }
        match next {
            Some(next) => query.after = Some(next),
            None => return Ok(done),
        }
    }
}

async fn write_note(store: &dyn Store, key: &Key, note: &Note) -> Result<()> {
    let doc = serde_json::to_vec(note).map_err(|error| invalid!("{key}: {error}"))?;
    let mut batch = Batch::new(key.scope().clone());
    batch.writes.push(Write::Put(Record {
        key: key.clone(),
        fields: Vec::new(),
        doc: doc.into(),
    }));
    store.commit(batch).await.map(drop)
}

/// Does one page; gives where the next begins.
async fn page<E: Entity>(
    store: &dyn Store,
    query: &Query,
    done: &mut Reindexed,
) -> Result<Option<String>> {
    let page = store.list(query, Read::Latest).await?;
    done.checked += page.unreadable.len() as u64;
    done.refused.extend(page.unreadable);
    let records = page
        .records
        .into_iter()
        .map(|stored| one::<E>(store, stored));
    let mut results = stream::iter(records).buffer_unordered(AT_ONCE);
    while let Some(result) = results.next().await {
        done.checked += 1;
        match result {
            Ok(written) => done.written += u64::from(written),
            Err(error @ (Error::Corrupt { .. } | Error::Invalid(_))) => done.refused.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(page.next)
}

/// Whether the record had to be written.
async fn one<E: Entity>(store: &dyn Store, mut stored: Stored<Record>) -> Result<bool> {
    for _ in 0..TRIES {
        let now = record(stored.value.key.scope(), &entity::<E>(&stored)?.value)?;
        if now.fields == stored.value.fields {
            return Ok(false);
        }
        let key = stored.value.key.clone();
        let mut batch = Batch::new(key.scope().clone());
        batch
            .guards
            .push(Guard::Version(key.clone(), stored.version));
        batch.writes.push(Write::Put(now));
        match store.commit(batch).await {
            Ok(_) => return Ok(true),
            Err(Error::Conflict(_)) => match store.get(&key, Read::Latest).await? {
                Some(newer) => stored = newer,
                None => return Ok(false),
            },
            Err(Error::Taken(index)) => return Err(taken(store, &key, index).await),
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict(stored.value.key))
}

/// Names both records that want one value.
async fn taken(store: &dyn Store, key: &Key, index: Index) -> Error {
    let mut query = Query::new(index.scope, index.table);
    query.equal = vec![(index.column.clone(), index.value.clone())];
    query.limit = 1;
    let page = store.list(&query, Read::Latest).await;
    let holder = page.ok().and_then(|page| page.records.into_iter().next());
    let holder = holder.map_or("another".to_owned(), |stored| stored.value.key.to_string());
    invalid!(
        "{key} and {holder} both have {} {}, which is to be unique: change one of them",
        index.column,
        index.value
    )
}
