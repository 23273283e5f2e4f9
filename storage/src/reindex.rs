use crate::batch::{Batch, Guard, Write};
use crate::entity::{Entity, entity, record};
use crate::error::{Error, Result};
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
    /// What could not be: an error for each record, [`Taken`](Error::Taken) if it holds the value
    /// of a column that has become unique, [`Corrupt`](Error::Corrupt) if it cannot be read.
    pub refused: Vec<Error>,
}

/// How often a record that changes meanwhile is read again.
const TRIES: usize = 10;

pub(crate) async fn reindex<E: Entity>(store: &dyn Store, scope: &Scope) -> Result<Reindexed> {
    let mut query = Query::new(scope.clone(), Name::from_static(E::SCHEMA.table()));
    let mut done = Reindexed::default();
    loop {
        let page = store.list(&query, Read::Latest).await?;
        done.refused.extend(page.unreadable);
        for stored in page.records {
            done.checked += 1;
            match one::<E>(store, stored).await {
                Ok(written) => done.written += u64::from(written),
                Err(error @ (Error::Taken(_) | Error::Corrupt { .. } | Error::Invalid(_))) => {
                    done.refused.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(done),
        }
    }
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
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict(stored.value.key))
}
