//! Making root networks, which claim their part of all address space first.

use ipnet::IpNet;
use metal_storage::{Batch, Entity, Error, Filter, Guard, Key, Scope, Stored};

use super::super::ApiError;
use super::super::records::exists;
use super::super::retry::Retry;
use super::pools::{self, space_of};
use super::settle::of_claim;
use super::{Claim, ClaimState, Fence, Space};
use crate::clock;
use crate::domain::{Family, Network, Partition, Project};
use crate::ipam::{Interval, IpamError, Move, Want, prefix};

// === impl Space ===

impl Space {
    /// Makes a root network: claims its address space and its id, then makes it where it belongs.
    /// Fails with nothing left behind, or with a claim that [`settle`](Self::settle) undoes.
    ///
    /// # Errors
    /// 404 for a partition or project that does not exist, 409 for an id, a part of address space, a
    /// VRF or a role that is another network's.
    pub(crate) async fn make_root(&self, network: &Network) -> Result<Network, ApiError> {
        let scope = self.scope(network.partition.as_ref())?;
        let claim = self.claim(network).await?;
        let made = match scope {
            Scope::Global => self.make_global(network, &claim).await,
            _ => self.make_local(&scope, network, &claim).await,
        };
        match made {
            Ok(made) => {
                self.mark_held(&claim.network).await;
                Ok(made)
            }
            Err(error) => {
                // Otherwise the upkeep does it.
                if let Err(undo) = self.settle(&claim).await {
                    let network = claim.network.as_str();
                    tracing::warn!(network, error = %undo, "a network is not undone yet");
                }
                Err(error)
            }
        }
    }

    /// Claims id, address space and role of a network, and requires what it refers to.
    async fn claim(&self, network: &Network) -> Result<Claim, ApiError> {
        let claim = Claim {
            network: network.id.clone(),
            partition: network.partition.clone(),
            prefixes: network.prefixes.iter().collect(),
            vrf: network.vrf.filter(|_| network.partition.is_none()),
            state: ClaimState::Pending,
            role: role(network),
            token: uuid::Uuid::new_v4(),
            since: clock::wall(),
        };
        let id = claim.network.as_str();
        let own = self.table::<Claim>(&Scope::Global).key(id)?;
        let mut retry = Retry::new("createNetwork");
        loop {
            let partitions = self.table::<Partition>(&Scope::Global);
            let partition = match &network.partition {
                Some(partition) => Some(found("partition", partition.as_str(), &partitions).await?),
                None => None,
            };
            let projects = self.table::<Project>(&Scope::Global);
            let project = match &network.project {
                Some(project) => Some(found("project", project.as_str(), &projects).await?),
                None => None,
            };
            let vrf = match claim.vrf {
                Some(vrf) => Some((
                    vrf,
                    self.plan_vrf(&Scope::Global, &network.id, Some(vrf), network.vrf_shared)
                        .await?,
                )),
                None => None,
            };
            let acquire = |of: &IpNet| Move::Acquire {
                pool: space_of(Family::from(*of)),
                want: Want::Range(prefix::interval(of)),
            };
            let moves = claim.prefixes.iter().map(acquire).collect();
            let new = claim.clone();
            let with = move |_: &[Interval], batch: &mut Batch| {
                batch.insert(&new)?;
                if let Some(partition) = &partition {
                    batch.touch(partition)?;
                }
                if let Some(project) = &project {
                    batch.touch(project)?;
                }
                if let Some((vrf, plan)) = &vrf {
                    plan.write((*vrf).into(), batch)?;
                }
                Ok(())
            };
            match self.apply(&Scope::Global, moves, with).await {
                Ok(_) => return Ok(claim),
                Err(IpamError::Conflict(key)) if key == own => return Err(exists::<Network>(id)),
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(IpamError::NoPool(_)) => self.make_spaces().await?,
                Err(IpamError::Taken { .. }) => return Err(self.overlap(network).await?),
                Err(IpamError::Store(Error::Taken(_))) => return Err(one_only(network)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A network of a partition: in its scope, with its pools and its VRF.
    async fn make_local(
        &self,
        scope: &Scope,
        network: &Network,
        claim: &Claim,
    ) -> Result<Network, ApiError> {
        let fence = self.fence(scope, &of_claim(claim))?;
        let project = self.require_project(scope, network.project.as_ref())?;
        let guards: Vec<_> = [Some(Guard::Absent(fence.clone())), project]
            .into_iter()
            .flatten()
            .collect();
        let mut retry = Retry::new("createNetwork");
        loop {
            let prefixes = network.prefixes.iter();
            let mut moves: Vec<_> = prefixes
                .map(|prefix| pools::create(network, prefix))
                .collect();
            let vrf = match network.vrf {
                Some(vrf) => Some((
                    vrf,
                    self.plan_vrf(scope, &network.id, Some(vrf), network.vrf_shared)
                        .await?,
                )),
                None => None,
            };
            if let Some((_, plan)) = &vrf {
                moves.extend(plan.moves.clone());
            }
            let (new, guards) = (network.clone(), guards.clone());
            let with = move |_: &[Interval], batch: &mut Batch| {
                batch.insert(&new)?;
                batch.guards.extend(guards.clone());
                if let Some((vrf, plan)) = &vrf {
                    plan.write((*vrf).into(), batch)?;
                }
                Ok(())
            };
            match self.apply(scope, moves, with).await {
                Ok(_) => return Ok(network.clone()),
                Err(IpamError::Conflict(key)) if self.is_final(&key, &fence, network) => {
                    return Err(self.gone(&key, network));
                }
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(IpamError::NoPool(_)) => self.make_number_pools(scope).await?,
                Err(IpamError::Taken { interval, .. }) => {
                    return Err(ApiError::conflict(format!(
                        "vrf {} is already taken in {scope}",
                        interval.lo
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A network of all partitions: its VRF is kept everywhere, then it is made, and with that its
    /// claim is held.
    async fn make_global(&self, network: &Network, claim: &Claim) -> Result<Network, ApiError> {
        if let Some(vrf) = network.vrf {
            for scope in self.partitions().await? {
                self.reserve_vrf(&scope, &network.id, vrf, network.vrf_shared)
                    .await?;
            }
        }
        let claims = self.table::<Claim>(&Scope::Global);
        let seen = claims.get(claim.network.as_str(), Self::READ).await?;
        let Some(seen) = seen.filter(|seen| seen.value.token == claim.token) else {
            return Err(undone(claim));
        };
        let prefixes = network.prefixes.iter();
        let moves = prefixes
            .map(|prefix| pools::create(network, prefix))
            .collect();
        let new = network.clone();
        let held = Claim {
            state: ClaimState::Held,
            since: clock::wall(),
            ..seen.value.clone()
        };
        let with = move |_: &[Interval], batch: &mut Batch| {
            batch.insert(&new)?.replace(&seen, &held)?;
            Ok(())
        };
        match self.apply(&Scope::Global, moves, with).await {
            Ok(_) => Ok(network.clone()),
            Err(IpamError::Conflict(_)) => Err(undone(claim)),
            Err(error) => Err(error.into()),
        }
    }

    /// All address space there is, once.
    async fn make_spaces(&self) -> Result<(), ApiError> {
        let create = |family: Family, lo, hi| Move::Create {
            pool: space_of(family),
            spans: vec![Interval { lo, hi }],
            reserved: vec![],
        };
        // Not `::`, which is no network's: the number of all others can be said.
        let moves = vec![
            create(Family::V4, 0, u32::MAX.into()),
            create(Family::V6, 1, u128::MAX),
        ];
        match self.apply(&Scope::Global, moves, |_, _| Ok(())).await {
            Ok(_) | Err(IpamError::Exists(_) | IpamError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// 409, naming whose address space it is.
    pub(super) async fn overlap(&self, network: &Network) -> Result<ApiError, ApiError> {
        let claims = self.table::<Claim>(&Scope::Global);
        let id = network.id.as_str();
        let claims = claims.list(Filter::all(), Self::READ).await?;
        let (own, others): (Vec<_>, Vec<_>) = claims
            .iter()
            .map(|claim| &claim.value)
            .partition(|claim| claim.network.as_str() == id);
        for claim in others {
            for theirs in &claim.prefixes {
                let overlaps = |ours: &IpNet| ours.contains(theirs) || theirs.contains(ours);
                if let Some(ours) = network.prefixes.iter().find(overlaps) {
                    return Ok(ApiError::conflict(format!(
                        "prefix {ours} overlaps {theirs} of network {:?}",
                        claim.network.as_str()
                    )));
                }
            }
        }
        if !own.is_empty() {
            return Ok(exists::<Network>(id));
        }
        Ok(ApiError::conflict(
            "a prefix overlapped one of another network a moment ago: try again",
        ))
    }

    fn is_final(&self, key: &Key, fence: &Key, network: &Network) -> bool {
        key == fence
            || self.refuse_gone(key, network.project.as_ref()).is_err()
            || (key.table().as_str() == Network::SCHEMA.table() && key.id() == network.id.as_str())
    }

    fn gone(&self, key: &Key, network: &Network) -> ApiError {
        if let Err(error) = self.refuse_gone(key, network.project.as_ref()) {
            return error;
        }
        match key.table().as_str() == Fence::SCHEMA.table() {
            true => ApiError::unavailable(
                "making the network took too long and was undone, nothing was changed: try again",
            ),
            false => exists::<Network>(network.id.as_str()),
        }
    }
}

fn undone(claim: &Claim) -> ApiError {
    ApiError::unavailable(format!(
        "making network {:?} took too long and was undone, nothing was changed: try again",
        claim.network.as_str()
    ))
}

/// What only one network of a partition can be.
fn role(network: &Network) -> Option<String> {
    let partition = network.partition.as_ref()?;
    let kind = match (network.private_super, network.underlay) {
        (true, _) => "privatesuper",
        (_, true) => "underlay",
        _ => return None,
    };
    Some(format!("{kind}/{partition}"))
}

fn one_only(network: &Network) -> ApiError {
    let kind = match network.private_super {
        true => "a private super",
        false => "an underlay",
    };
    let partition = network.partition.as_ref().map_or("", |id| id.as_str());
    ApiError::conflict(format!(
        "partition with id {partition:?} already has {kind} network"
    ))
}

async fn found<E: Entity>(
    name: &str,
    id: &str,
    table: &metal_storage::Table<E>,
) -> Result<Stored<E>, ApiError> {
    let found = table.get(id, Space::READ).await?;
    found.ok_or_else(|| ApiError::no_entity(name, id))
}
