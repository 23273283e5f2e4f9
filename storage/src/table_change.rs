use crate::batch::Write;
use crate::change::Change;
use crate::entity::{Entity, entity};
use crate::error::Error;
use crate::op::OpId;
use crate::record::Stored;
use crate::revision::Revision;

/// What one commit did to a [`Table`](crate::Table): often nothing, since a scope has many.
#[derive(Clone, Debug, PartialEq)]
pub struct TableChange<E> {
    /// Its place in the scope's commit order; resume from here.
    pub revision: Revision,
    /// The operation that it was made by.
    pub op: OpId,
    /// Its writes to the table, in the order of the batch.
    pub entities: Vec<EntityChange<E>>,
}

/// What became of one entity.
#[derive(Clone, Debug, PartialEq)]
pub enum EntityChange<E> {
    /// It is now this, new or not.
    Put(Stored<E>),
    /// There is none of this id any more, or there was none.
    Deleted(String),
    /// It was written as something that is no `E`; the error names it.
    Unreadable {
        /// Its id.
        id: String,
        /// A [`Corrupt`](Error::Corrupt).
        error: Error,
    },
}

// === impl TableChange ===

impl<E: Entity> TableChange<E> {
    pub(crate) fn of(change: Change) -> Self {
        let Change {
            revision,
            op,
            writes,
        } = change;
        let ours = writes
            .into_iter()
            .filter(|write| write.key().table().as_str() == E::SCHEMA.table());
        let entities = ours.map(|write| match write {
            Write::Delete(key) => EntityChange::Deleted(key.id().to_owned()),
            Write::Put(value) => {
                let version = revision.into();
                match entity(&Stored {
                    value: &value,
                    version,
                }) {
                    Ok(stored) => EntityChange::Put(stored),
                    Err(error) => EntityChange::Unreadable {
                        id: value.key.id().to_owned(),
                        error,
                    },
                }
            }
        });
        Self {
            revision,
            op,
            entities: entities.collect(),
        }
    }
}
