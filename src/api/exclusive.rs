//! Changes that must hold against all records of a table.

use std::marker::PhantomData;
use std::sync::Arc;

use metal_storage::{
    Batch, Entity, Error, Filter, Guard, Key, Name, Read, Result, Schema, Scope, Store, Stored,
    Table, Value,
};
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::commit::commit;
use super::records::{Named, Records, changed, exists};
use super::retry::Retry;

/// The table of [`Sentinel`].
pub(crate) const SENTINEL: Schema = Sentinel::SCHEMA;

/// The record that every such change of a table rewrites: of two at once one conflicts, and looks
/// at the other records again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sentinel {
    table: String,
}

impl Entity for Sentinel {
    const SCHEMA: Schema = Schema::new("sentinel", &[]);

    fn id(&self) -> &str {
        &self.table
    }

    fn columns(&self) -> Vec<Value> {
        vec![]
    }
}

/// A table as it was before it was read, for changes that depend on what is not in it.
pub(super) struct Watch<E> {
    sentinel: Option<Stored<Sentinel>>,
    entity: PhantomData<fn() -> E>,
}

// === impl Watch ===

impl<E: Named> Watch<E> {
    /// To be taken before the records are read, or a change between the two is missed. Costs one
    /// read.
    pub async fn new(store: &Arc<dyn Store>) -> Result<Self> {
        let table = Table::new(Arc::clone(store), Scope::Global);
        Ok(Self {
            sentinel: table.get(E::SCHEMA.table(), Read::Latest).await?,
            entity: PhantomData,
        })
    }

    /// Requires that no batch has [changed](Self::change) the table since.
    pub fn require(&self, batch: &mut Batch) -> Result<()> {
        match &self.sentinel {
            Some(sentinel) => batch.require(sentinel)?,
            None => {
                let table = Name::from_static(Sentinel::SCHEMA.table());
                let key = Key::new(batch.scope.clone(), table, E::SCHEMA.table())?;
                batch.guards.push(Guard::Absent(key));
                batch
            }
        };
        Ok(())
    }

    /// As [`require`](Self::require), and lets every other watch of the table know.
    pub fn change(&self, batch: &mut Batch) -> Result<()> {
        match &self.sentinel {
            Some(sentinel) => batch.touch(sentinel)?,
            None => batch.insert(&Sentinel {
                table: E::SCHEMA.table().to_owned(),
            })?,
        };
        Ok(())
    }
}

/// Writes `new`, instead of `old` if that is given, unless one of the other records of the table
/// refuses it. Costs a look at every record of the table.
///
/// # Errors
/// What `refuse` says of another record; 409 if there is a record of that id already, or if `old`
/// is not what is stored; 503 after too many conflicts with other changes.
pub(super) async fn write<E: Named>(
    store: &Arc<dyn Store>,
    operation: &'static str,
    old: Option<&Stored<E>>,
    new: &E,
    refuse: impl Fn(&E) -> Option<ApiError>,
) -> Result<(), ApiError> {
    let records = Records::<E>::new(store);
    let key = records.key(new.id())?;
    let mut retry = Retry::new(operation);
    loop {
        let watch = Watch::<E>::new(store).await?;
        let others = records.list(Filter::all()).await?;
        let refusal = others
            .iter()
            .filter(|other| other.id() != new.id())
            .find_map(&refuse);
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let mut batch = Batch::new(Scope::Global);
        match old {
            Some(old) => batch.replace(old, new)?,
            None => batch.insert(new)?,
        };
        watch.change(&mut batch)?;
        match commit(store, batch).await {
            Ok(_) => return Ok(()),
            Err(Error::Conflict(conflict)) if conflict == key => {
                return Err(match old {
                    Some(_) => changed::<E>(new.id()),
                    None => exists::<E>(new.id()),
                });
            }
            Err(Error::Conflict(conflict)) => retry.after(&conflict).await?,
            Err(error) => return Err(error.into()),
        }
    }
}
