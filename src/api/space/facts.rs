//! Finding what a request speaks of, wherever it is.

use std::collections::BTreeSet;

use metal_storage::{Entity, Error, Filter, Read, Result, Scope, ScopeName, Stored};

use super::super::ApiError;
use super::{Fence, Space};
use crate::domain::{Network, Partition, Project};

// === impl Space ===

impl Space {
    /// A record of the global scope as it is known here: only what is not known is asked for at the
    /// store. So it may be old, and what rests on it must hold even then.
    pub(crate) async fn fact<E: Entity>(&self, id: &str) -> Result<Option<Stored<E>>> {
        let table = self.table::<E>(&Scope::Global);
        match table.get(id, Read::Stale).await {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) | Err(Error::Unavailable { .. } | Error::Behind { .. }) => {
                table.get(id, Read::Latest).await
            }
            Err(error) => Err(error),
        }
    }

    /// The project; 404 if there is none.
    pub(crate) async fn project(&self, id: &str) -> Result<Stored<Project>, ApiError> {
        let found = self.fact(id).await?;
        found.ok_or_else(|| ApiError::no_entity("project", id))
    }

    /// The partition; 404 if there is none.
    pub(crate) async fn partition(&self, id: &str) -> Result<Stored<Partition>, ApiError> {
        let found = self.fact(id).await?;
        found.ok_or_else(|| ApiError::no_entity("partition", id))
    }

    /// The scopes of all partitions, this node's first.
    pub(crate) async fn partitions(&self) -> Result<Vec<Scope>, ApiError> {
        let table = self.table::<Partition>(&Scope::Global);
        let listed = match table.list(Filter::all(), Read::Stale).await {
            Err(Error::Unavailable { .. } | Error::Behind { .. }) => {
                table.list(Filter::all(), Read::Latest).await?
            }
            listed => listed?,
        };
        let home = self.home_scope()?;
        let named = |id: &str| ScopeName::try_from(id).ok().map(Scope::Partition);
        let others: BTreeSet<_> = listed
            .iter()
            .filter_map(|partition| named(partition.value.id.as_str()))
            .filter(|scope| *scope != home)
            .collect();
        Ok(std::iter::once(home).chain(others).collect())
    }

    /// All scopes: this partition's, the global one, those of the other partitions.
    pub(crate) async fn scopes(&self) -> Result<Vec<Scope>, ApiError> {
        let mut scopes = self.partitions().await?;
        scopes.insert(1, Scope::Global);
        Ok(scopes)
    }

    /// The network and where it is; 404 if there is none. Looks first where no other store has to
    /// be asked.
    pub(crate) async fn network(&self, id: &str) -> Result<(Scope, Stored<Network>), ApiError> {
        let home = self.home_scope()?;
        if let Some(found) = self.table::<Network>(&home).get(id, Self::READ).await? {
            return Ok((home, found));
        }
        for scope in self.partitions().await?.into_iter().skip(1) {
            if let Some(found) = self.table::<Network>(&scope).get(id, Self::READ).await? {
                return Ok((scope, found));
            }
        }
        match self.fact(id).await? {
            Some(found) => Ok((Scope::Global, found)),
            None => Err(ApiError::no_entity("network", id)),
        }
    }

    /// As [`network`](Self::network), as it is now.
    pub(crate) async fn network_now(&self, id: &str) -> Result<(Scope, Stored<Network>), ApiError> {
        let (scope, found) = self.network(id).await?;
        if scope != Scope::Global {
            return Ok((scope, found));
        }
        match self.table(&scope).get(id, Self::READ).await? {
            Some(found) => Ok((scope, found)),
            None => Err(ApiError::no_entity("network", id)),
        }
    }

    /// The key of a fence.
    pub(crate) fn fence(&self, scope: &Scope, id: &str) -> Result<metal_storage::Key, ApiError> {
        Ok(self.table::<Fence>(scope).key(id)?)
    }
}
