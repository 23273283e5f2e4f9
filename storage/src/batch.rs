use std::collections::HashSet;

use crate::entity::{Entity, record};
use crate::error::{Result, invalid};
use crate::key::Key;
use crate::limits::{BATCH_BYTES, BATCH_GUARDS, BATCH_WRITES};
use crate::name::Name;
use crate::op::OpId;
use crate::record::{Record, Stored};
use crate::revision::Version;
use crate::scope::Scope;

/// Guards and writes that a store applies together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Names this change, so that it can be repeated.
    pub op: OpId,
    /// The scope of every key in it.
    pub scope: Scope,
    /// What must hold before.
    pub guards: Vec<Guard>,
    /// What is to be, in this order; no key twice.
    pub writes: Vec<Write>,
}

/// A condition on the state before a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// There is no such record.
    Absent(Key),
    /// The record exists and has this version.
    Version(Key, Version),
}

/// One write of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The record is to be this, whether or not there was one.
    Put(Record),
    /// There is to be no such record, whether or not there was one.
    Delete(Key),
}

// === impl Batch ===

impl Batch {
    /// An empty batch with a new operation id.
    pub fn new(scope: Scope) -> Self {
        Self::with_op(scope, OpId::new())
    }

    /// An empty batch of an operation that has an id already, such as one forwarded or repeated.
    pub fn with_op(scope: Scope, op: OpId) -> Self {
        Self {
            op,
            scope,
            guards: Vec::new(),
            writes: Vec::new(),
        }
    }

    /// Adds a record that must not exist yet.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if the entity breaks its schema or a bound.
    pub fn insert<E: Entity>(&mut self, entity: &E) -> Result<&mut Self> {
        let record = record(&self.scope, entity)?;
        self.guards.push(Guard::Absent(record.key.clone()));
        self.writes.push(Write::Put(record));
        Ok(self)
    }

    /// Replaces a record that must be as it was read.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if the two have different ids, or the entity breaks its
    /// schema or a bound.
    pub fn replace<E: Entity>(&mut self, old: &Stored<E>, entity: &E) -> Result<&mut Self> {
        if old.value.id() != entity.id() {
            return Err(invalid!(
                "{} {:?} cannot become {:?}: an id is forever",
                E::SCHEMA.table(),
                old.value.id(),
                entity.id()
            ));
        }
        let record = record(&self.scope, entity)?;
        self.guards
            .push(Guard::Version(record.key.clone(), old.version));
        self.writes.push(Write::Put(record));
        Ok(self)
    }

    /// Deletes a record that must be as it was read.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if the id is out of bounds.
    pub fn delete<E: Entity>(&mut self, old: &Stored<E>) -> Result<&mut Self> {
        let key = self.key::<E>(old)?;
        self.guards.push(Guard::Version(key.clone(), old.version));
        self.writes.push(Write::Delete(key));
        Ok(self)
    }

    /// Requires that a record is still as it was read, and leaves it alone.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if the id is out of bounds.
    pub fn require<E: Entity>(&mut self, seen: &Stored<E>) -> Result<&mut Self> {
        let key = self.key::<E>(seen)?;
        self.guards.push(Guard::Version(key, seen.version));
        Ok(self)
    }

    /// Requires that a record is still as it was read, and gives it a new version: whoever read
    /// it before and now wants to replace or delete it gets a conflict. This is how a record
    /// that refers to another keeps the other from being deleted at the same moment.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub fn touch<E: Entity>(&mut self, seen: &Stored<E>) -> Result<&mut Self> {
        self.replace(seen, &seen.value)
    }

    /// Bytes that count towards [`BATCH_BYTES`].
    pub fn size(&self) -> usize {
        let guards = self.guards.iter().map(|guard| guard.key().size());
        let writes = self.writes.iter().map(|write| match write {
            Write::Put(record) => record.size(),
            Write::Delete(key) => key.size(),
        });
        guards.chain(writes).sum()
    }

    /// Whether the batch keeps every rule that does not depend on what is stored. Backends call
    /// this first. Costs the size of the batch.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid), naming the rule.
    pub fn check(&self) -> Result<()> {
        if self.writes.is_empty() {
            return Err(invalid!("a batch has at least one write"));
        }
        if self.writes.len() > BATCH_WRITES {
            return Err(invalid!(
                "a batch has at most {BATCH_WRITES} writes, this one {}",
                self.writes.len()
            ));
        }
        if self.guards.len() > BATCH_GUARDS {
            return Err(invalid!(
                "a batch has at most {BATCH_GUARDS} guards, this one {}",
                self.guards.len()
            ));
        }
        let size = self.size();
        if size > BATCH_BYTES {
            return Err(invalid!(
                "a batch has at most {BATCH_BYTES} bytes, this one {size}"
            ));
        }
        let keys = self.guards.iter().map(Guard::key);
        for key in keys.chain(self.writes.iter().map(Write::key)) {
            if *key.scope() != self.scope {
                return Err(invalid!(
                    "{key} is not of the batch's scope, {}",
                    self.scope
                ));
            }
        }
        let mut written = HashSet::with_capacity(self.writes.len());
        for write in &self.writes {
            if !written.insert(write.key()) {
                return Err(invalid!("{} is written twice in one batch", write.key()));
            }
            if let Write::Put(record) = write {
                record.check()?;
            }
        }
        Ok(())
    }

    fn key<E: Entity>(&self, stored: &Stored<E>) -> Result<Key> {
        let table = Name::from_static(E::SCHEMA.table());
        Key::new(self.scope.clone(), table, stored.value.id())
    }
}

// === impl Guard ===

impl Guard {
    /// The record that the guard is about.
    pub fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::Version(key, _) => key,
        }
    }

    /// Whether it holds for a record found with this version, or not found.
    pub fn holds(&self, found: Option<Version>) -> bool {
        match self {
            Self::Absent(_) => found.is_none(),
            Self::Version(_, version) => found == Some(*version),
        }
    }
}

// === impl Write ===

impl Write {
    /// The record that is written.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(record) => &record.key,
            Self::Delete(key) => key,
        }
    }
}
