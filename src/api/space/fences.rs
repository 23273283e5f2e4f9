//! Fences of projects: a project that is being deleted gets nothing new.

use metal_storage::{Batch, Error, Filter, Guard, Scope};

use super::super::ApiError;
use super::{FENCE, Fence, Space};
use crate::clock;
use crate::commit::commit;
use crate::domain::{Ip, Network, ProjectId};

/// The id of a project's fence.
pub(super) fn of_project(project: &str) -> String {
    format!("project/{project}")
}

// === impl Space ===

impl Space {
    /// Requires that the project, if there is one, is not being deleted in this scope.
    pub(crate) fn require_project(
        &self,
        scope: &Scope,
        project: Option<&ProjectId>,
    ) -> Result<Option<Guard>, ApiError> {
        let absent = |project: &ProjectId| {
            let key = self.fence(scope, &of_project(project.as_str()))?;
            Ok(Guard::Absent(key))
        };
        project.map(absent).transpose()
    }

    /// 404 if a conflict was about the project's fence: then it is gone, or will be.
    pub(crate) fn refuse_gone(
        &self,
        key: &metal_storage::Key,
        project: Option<&ProjectId>,
    ) -> Result<(), ApiError> {
        match project {
            Some(project)
                if key.table().as_str() == FENCE.table()
                    && key.id() == of_project(project.as_str()) =>
            {
                Err(ApiError::no_entity("project", project.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// Sees to it that no partition makes something of the project any more, and refuses with 422
    /// if there is something. The caller then deletes the project, or calls
    /// [`reopen_project`](Self::reopen_project).
    pub(crate) async fn close_project(&self, project: &str) -> Result<(), ApiError> {
        for scope in self.partitions().await? {
            self.put_fence(&scope, of_project(project)).await?;
        }
        // What was made before the fences is seen now.
        let mut used = Vec::new();
        for scope in self.scopes().await? {
            let filter = || Filter::eq("project", project);
            let networks = self.table::<Network>(&scope);
            for network in networks.list(filter(), Self::READ).await? {
                used.push(format!("network {:?}", network.value.id.as_str()));
            }
            for ip in self.table::<Ip>(&scope).list(filter(), Self::READ).await? {
                used.push(format!("ip {}", ip.value.id));
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        self.reopen_project(project).await?;
        Err(ApiError::refused(format!(
            "project {project:?} cannot be deleted, it has {}",
            first(&used)
        )))
    }

    /// Takes the fences away that [`close_project`](Self::close_project) has put up.
    pub(crate) async fn reopen_project(&self, project: &str) -> Result<(), ApiError> {
        for scope in self.partitions().await? {
            self.drop_fence(&scope, &of_project(project)).await?;
        }
        Ok(())
    }

    /// Puts up a fence that may be there already.
    pub(super) async fn put_fence(&self, scope: &Scope, id: String) -> Result<(), ApiError> {
        let since = clock::wall();
        let mut batch = Batch::new(scope.clone());
        batch.insert(&Fence { id, since })?;
        match commit(self.store(scope), batch).await {
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes away a fence that may be gone already.
    pub(super) async fn drop_fence(&self, scope: &Scope, id: &str) -> Result<(), ApiError> {
        let fences = self.table::<Fence>(scope);
        let Some(found) = fences.get(id, Self::READ).await? else {
            return Ok(());
        };
        let mut batch = Batch::new(scope.clone());
        batch.delete(&found)?;
        match commit(self.store(scope), batch).await {
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The first of what is there, and how many more there are.
pub(crate) fn first(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all[..all.len().min(SHOWN)].join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
