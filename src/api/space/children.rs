//! Networks that are part of a super network: in its scope, made and deleted in one commit.

use metal_storage::{Batch, Scope, Stored};

use super::super::ApiError;
use super::super::records::exists;
use super::super::retry::Retry;
use super::Space;
use super::pools::{self, extra, pool_of};
use super::vrf::{VrfPlan, vrf_pool};
use crate::domain::{ChildLengths, Family, Network, Prefixes};
use crate::ipam::{Block, Extra, Interval, IpamError, Move, Want, prefix};

// === impl Space ===

impl Space {
    /// Makes a network of new prefixes of these lengths, with a VRF of its own.
    ///
    /// # Errors
    /// 404 for a project that is being deleted, 500 if the super network is full.
    pub(crate) async fn allocate_child(
        &self,
        parent: &Stored<Network>,
        child: Network,
        lengths: ChildLengths,
    ) -> Result<Network, ApiError> {
        let scope = self.scope(child.partition.as_ref())?;
        // The families in their order, each with the prefixes that may have room.
        let mut places: Vec<_> = lengths
            .iter()
            .map(|(&family, &length)| {
                let prefixes: Vec<_> = parent.value.prefixes.of_family(family).collect();
                (family, length, prefixes, 0)
            })
            .collect();
        let mut retry = Retry::new("allocateNetwork");
        loop {
            let likes: Vec<_> = places.iter().map(|(_, _, from, at)| from[*at]).collect();
            let mut moves: Vec<_> = places
                .iter()
                .map(|(family, length, from, at)| Move::Acquire {
                    pool: pool_of(from[*at]),
                    want: Want::Aligned {
                        bits: family.bits() - length,
                    },
                })
                .collect();
            moves.push(Move::Acquire {
                pool: vrf_pool(),
                want: Want::Any,
            });
            let vrf = self.plan_vrf(&scope, &child.id, None, false).await?;
            let project = self.require_project(&scope, child.project.as_ref())?;
            let (new, of) = (child.clone(), scope.clone());
            let with = move |acquired: &[Interval]| -> metal_storage::Result<Extra> {
                let made = filled(&new, &likes, acquired);
                let mut batch = Batch::new(of.clone());
                batch.guards.extend(project.clone());
                record(&made, &vrf, batch)
            };
            match self.allocator(&scope).apply(moves, with).await {
                Ok(applied) => {
                    let likes: Vec<_> = places.iter().map(|(_, _, from, at)| from[*at]).collect();
                    return Ok(filled(&child, &likes, &applied.intervals));
                }
                Err(IpamError::NoPool(pool)) if pool == vrf_pool() => {
                    self.make_number_pools(&scope).await?;
                }
                Err(IpamError::NoPool(_)) => {
                    let id = parent.value.id.as_str();
                    return Err(ApiError::no_entity("network", id));
                }
                Err(IpamError::Exhausted { pool, .. }) if pool == vrf_pool() => {
                    return Err(ApiError::internal(
                        "cannot acquire a vrf, there are none left",
                    ));
                }
                Err(IpamError::Exhausted {
                    pool, free, size, ..
                }) => {
                    // The next prefix of that family, if there is one.
                    let place = places
                        .iter_mut()
                        .find(|(_, _, from, at)| pool_of(from[*at]) == pool);
                    match place {
                        Some((_, _, from, at)) if *at + 1 < from.len() => *at += 1,
                        Some((family, length, ..)) => {
                            return Err(full(&parent.value, *family, *length, free, size));
                        }
                        None => {
                            return Err(ApiError::internal("a pool that was not asked is full"));
                        }
                    }
                }
                Err(IpamError::Conflict(key)) => {
                    self.refuse_gone(&key, child.project.as_ref())?;
                    retry.after(&key).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes a network of given prefixes of its super network.
    ///
    /// # Errors
    /// 404 for a super network, partition or project that does not exist, 400 for prefixes that are
    /// not of the super network, 409 for those that another child has, or an id that is taken.
    pub(crate) async fn make_child(&self, mut child: Network) -> Result<Network, ApiError> {
        let id = child.parent.clone().map(String::from).unwrap_or_default();
        let (scope, parent) = self.network_now(&id).await?;
        let parent = parent.value;
        if !parent.private_super {
            return Err(ApiError::bad_request(format!(
                "parentnetworkid: network {id:?} is no super network"
            )));
        }
        if parent.partition.is_none() {
            return Err(ApiError::bad_request(format!(
                "parentnetworkid: super network {id:?} is in no partition"
            )));
        }
        if child.private_super || child.underlay {
            return Err(ApiError::bad_request(
                "parentnetworkid: a part of a super network is neither a super network nor an underlay",
            ));
        }
        if child.partition.is_some() && child.partition != parent.partition {
            return Err(ApiError::bad_request(format!(
                "partitionid: super network {id:?} is not in that partition"
            )));
        }
        child.partition.clone_from(&parent.partition);
        if self.network(child.id.as_str()).await.is_ok() {
            return Err(exists::<Network>(child.id.as_str()));
        }
        if let Some(project) = &child.project {
            self.project(project.as_str()).await?;
        }
        let mut moves = Vec::new();
        for of in child.prefixes.iter() {
            let Some(from) = parent.prefixes.iter().find(|p| p.contains(&of) && *p != of) else {
                return Err(ApiError::bad_request(format!(
                    "prefixes: {of} is no part of super network {id:?}"
                )));
            };
            moves.push(Move::Acquire {
                pool: pool_of(from),
                want: Want::Range(prefix::interval(&of)),
            });
        }
        let mut retry = Retry::new("createNetwork");
        loop {
            let vrf = self
                .plan_vrf(&scope, &child.id, child.vrf, child.vrf_shared)
                .await?;
            let mut moves = moves.clone();
            let has_move = !vrf.moves.is_empty();
            moves.extend(vrf.moves.clone());
            let project = self.require_project(&scope, child.project.as_ref())?;
            let (new, of) = (child.clone(), scope.clone());
            let complete = move |acquired: &[Interval]| {
                let vrf = acquired
                    .last()
                    .filter(|_| has_move)
                    .map(|vrf| vrf.lo as u32);
                Network {
                    vrf: new.vrf.or(vrf),
                    ..new.clone()
                }
            };
            let with = {
                let complete = complete.clone();
                move |acquired: &[Interval]| -> metal_storage::Result<Extra> {
                    let mut batch = Batch::new(of.clone());
                    batch.guards.extend(project.clone());
                    record(&complete(acquired), &vrf, batch)
                }
            };
            let own = self.table::<Network>(&scope).key(child.id.as_str())?;
            match self.allocator(&scope).apply(moves, with).await {
                Ok(applied) => return Ok(complete(&applied.intervals)),
                Err(IpamError::NoPool(pool)) if pool == vrf_pool() => {
                    self.make_number_pools(&scope).await?;
                }
                Err(IpamError::NoPool(_)) => return Err(ApiError::no_entity("network", &id)),
                Err(IpamError::Taken { pool, interval }) => {
                    return Err(ApiError::conflict(match pool == vrf_pool() {
                        true => format!("vrf {} is already taken in {scope}", interval.lo),
                        false => format!("a prefix is of another part of super network {id:?}"),
                    }));
                }
                Err(IpamError::Conflict(key)) if key == own => {
                    return Err(exists::<Network>(child.id.as_str()));
                }
                Err(IpamError::Conflict(key)) => {
                    self.refuse_gone(&key, child.project.as_ref())?;
                    retry.after(&key).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deletes a network of a super network that nothing uses, and gives its prefixes back.
    ///
    /// # Errors
    /// 422 naming what uses it, 409 if it was changed since it was read.
    pub(crate) async fn delete_child(
        &self,
        scope: &Scope,
        child: &Stored<Network>,
    ) -> Result<(), ApiError> {
        self.refuse_used(scope, &child.value).await?;
        let id = child.value.parent.as_ref().map_or("", |id| id.as_str());
        let parent = self.table::<Network>(scope).get(id, Self::READ).await?;
        let Some(parent) = parent else {
            return Err(ApiError::internal("its super network is gone"));
        };
        let release = |of: ipnet::IpNet| {
            let mut from = parent.value.prefixes.iter();
            from.find(|from| from.contains(&of))
                .map(|from| Move::Release {
                    pool: pool_of(from),
                    interval: prefix::interval(&of),
                })
        };
        let releases = child.value.prefixes.iter().filter_map(release).collect();
        self.delete_network(scope, child, releases).await
    }
}

/// The network with what was acquired for it: a prefix like each of these, then the VRF.
fn filled(child: &Network, likes: &[ipnet::IpNet], acquired: &[Interval]) -> Network {
    let pairs = likes.iter().zip(acquired);
    let of = |(like, interval): (&ipnet::IpNet, &Interval)| {
        let block: Block = interval.blocks().next()?;
        prefix::prefix(like, block)
    };
    Network {
        prefixes: Prefixes::of(pairs.filter_map(of).collect()),
        vrf: acquired.get(likes.len()).map(|vrf| vrf.lo as u32),
        ..child.clone()
    }
}

/// The record of a new network, its pools and its VRF.
fn record(network: &Network, vrf: &VrfPlan, mut batch: Batch) -> metal_storage::Result<Extra> {
    batch.insert(network)?;
    if let Some(number) = network.vrf {
        vrf.write(number.into(), &mut batch)?;
    }
    let pools = network.prefixes.iter();
    Ok(Extra {
        moves: pools.map(|of| pools::create(network, of)).collect(),
        ..extra(batch)
    })
}

fn full(parent: &Network, family: Family, length: u8, free: u128, size: u128) -> ApiError {
    ApiError::internal(format!(
        "cannot allocate free child prefix in ipam: super network {:?} has no {family} prefix of \
         length {length} left, {free} of the {size} addresses of its last prefix are free",
        parent.id.as_str()
    ))
}
