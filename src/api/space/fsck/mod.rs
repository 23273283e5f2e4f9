//! Whether pools, addresses, networks, claims, blocks and VRFs agree.

use std::collections::{BTreeMap, BTreeSet};

use metal_storage::{Entity, Filter, Scope};
use serde::{Deserialize, Serialize};

mod rules;

use super::super::ApiError;
use super::pools::shown;
use super::sets::{difference, overlaps};
use super::{Block, Claim, Space, VrfUse};
use crate::domain::{Ip, Network, Project};
use crate::ipam::{Interval, Pool, PoolId};

/// How often everything is looked through: what is in change the first time is not the last.
const PASSES: usize = 3;

/// What does not agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Where.
    pub scope: String,
    /// What, and how it should be.
    pub what: String,
}

/// One look at everything.
struct Look<'a> {
    space: &'a Space,
    found: BTreeSet<Finding>,
}

/// All of one scope.
struct Part {
    scope: Scope,
    networks: Vec<Network>,
    ips: Vec<Ip>,
    blocks: Vec<Block>,
    vrfs: Vec<VrfUse>,
    pools: BTreeMap<PoolId, Pool>,
}

// === impl Space ===

impl Space {
    /// What does not agree, whatever is changed meanwhile; nothing, if all is well. Reads every
    /// network, address and pool of all scopes, a few times if there seems to be something.
    ///
    /// # Errors
    /// What could not be read.
    pub(crate) async fn fsck(&self) -> Result<Vec<Finding>, ApiError> {
        let mut lasting: Option<BTreeSet<Finding>> = None;
        for _ in 0..PASSES {
            let mut look = Look {
                space: self,
                found: BTreeSet::new(),
            };
            look.all().await?;
            let found = match lasting {
                None => look.found,
                Some(before) => before.intersection(&look.found).cloned().collect(),
            };
            if found.is_empty() {
                return Ok(vec![]);
            }
            lasting = Some(found);
        }
        Ok(lasting.into_iter().flatten().collect())
    }

    async fn all_of<E: Entity>(&self, scope: &Scope) -> Result<Vec<E>, ApiError> {
        let all = self.table::<E>(scope);
        let all = all.list(Filter::all(), Self::READ).await?;
        Ok(all.into_iter().map(|stored| stored.value).collect())
    }

    async fn part_of(&self, scope: Scope) -> Result<Part, ApiError> {
        let pools: Vec<Pool> = self.all_of(&scope).await?;
        Ok(Part {
            networks: self.all_of(&scope).await?,
            ips: self.all_of(&scope).await?,
            blocks: self.all_of(&scope).await?,
            vrfs: self.all_of(&scope).await?,
            pools: pools
                .into_iter()
                .map(|pool| (pool.id.clone(), pool))
                .collect(),
            scope,
        })
    }
}

// === impl Look ===

impl Look<'_> {
    async fn all(&mut self) -> Result<(), ApiError> {
        let claims: Vec<Claim> = self.space.all_of(&Scope::Global).await?;
        let projects: Vec<Project> = self.space.all_of(&Scope::Global).await?;
        let projects: BTreeSet<_> = projects.iter().map(|project| project.id.as_str()).collect();
        let global = self.space.part_of(Scope::Global).await?;
        let mut parts = Vec::new();
        for scope in self.space.partitions().await? {
            parts.push(self.space.part_of(scope).await?);
        }
        self.claims(&claims, &global, &parts).await?;
        self.blocks(&global, &parts);
        for part in std::iter::once(&global).chain(&parts) {
            self.pools(part, &global).await?;
            self.references(part, &global, &projects);
            self.vrfs(part, &global).await?;
        }
        Ok(())
    }

    /// Holds what is not free in a pool against what should not be.
    async fn compare(
        &mut self,
        part: &Part,
        id: &PoolId,
        taken: Vec<Interval>,
        how: &str,
    ) -> Result<(), ApiError> {
        let Some(pool) = part.pools.get(id) else {
            if !taken.is_empty() {
                self.say(&part.scope, format!("there is no pool {id}"));
            }
            return Ok(());
        };
        let all = Interval {
            lo: 0,
            hi: u128::MAX,
        };
        let free = self.space.free(&part.scope, id, all).await?;
        let unused = free.into_iter().chain(pool.reserved.clone()).collect();
        let out = difference(pool.spans.clone(), unused);
        let leaked = difference(out.clone(), taken.clone());
        let twice = difference(taken.clone(), out);
        for both in overlaps(taken) {
            let both = shown(id, &both);
            self.say(&part.scope, format!("{both} of pool {id} is {how} twice"));
        }
        for interval in leaked {
            let interval = shown(id, &interval);
            self.say(
                &part.scope,
                format!("{interval} of pool {id} is neither free nor {how}"),
            );
        }
        for interval in twice {
            let interval = shown(id, &interval);
            self.say(
                &part.scope,
                format!("{interval} of pool {id} is {how} and can be handed out"),
            );
        }
        Ok(())
    }

    fn say(&mut self, scope: &Scope, what: String) {
        let scope = scope.to_string();
        self.found.insert(Finding { scope, what });
    }
}
