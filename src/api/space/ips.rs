//! Handing addresses out, and taking them back.

use std::net::IpAddr;

use axum::http::StatusCode;
use ipnet::IpNet;
use metal_storage::{Filter, Key, Scope, Stored};
use tokio::time::Instant;

use super::super::ApiError;
use super::super::retry::Retry;
use super::blocks::{Owner, block_size};
use super::pools::pool_of;
use super::{Block, Fence, Space};
use crate::clock;
use crate::domain::{Family, Ip, Network, Project};
use crate::ipam::{Interval, IpamError, Move, Pool, Want, prefix};

/// Which address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// The lowest one of a family that nobody has.
    Any(Family),
    /// This one.
    This(IpAddr),
}

// === impl Space ===

impl Space {
    /// Hands out an address of a network as `draft` says. Of a network of one partition, or of a
    /// block that this partition owns, only the local store is asked.
    ///
    /// # Errors
    /// 409 if somebody has the address, 422 for one that nobody can have and for a quota that is
    /// reached, 500 if there is none left, 503 if there may be some but nobody can be asked.
    pub(crate) async fn allocate_ip(
        &self,
        at: &Scope,
        network: &Network,
        project: &Project,
        wanted: Wanted,
        draft: Ip,
    ) -> Result<Ip, ApiError> {
        let id = network.id.as_str();
        if network.private_super {
            return Err(ApiError::refused(format!(
                "network {id:?} is a super network: its addresses are those of the networks made of it"
            )));
        }
        let (places, want) = match wanted {
            Wanted::Any(family) => (network.prefixes.of_family(family).collect(), Want::Any),
            Wanted::This(ip) => {
                let of = holding(network, ip)?;
                (vec![of], Want::Value(prefix::number(ip)))
            }
        };
        let global = *at == Scope::Global;
        let scope = match global {
            true => self.home_scope()?,
            false => at.clone(),
        };
        for of in &places {
            let taken = self.take(&scope, *of, want, project, &draft).await?;
            let taken = match taken {
                None if global => {
                    self.take_of_new_block(&scope, network, *of, want, project, &draft)
                        .await?
                }
                taken => taken,
            };
            if let Some(ip) = taken {
                if global {
                    self.is_low(id);
                }
                return Ok(ip);
            }
        }
        Err(self.exhausted(&scope, network, &places).await?)
    }

    /// Takes an address back. The error is the key of what was changed meanwhile, if it was.
    pub(crate) async fn free_ip(
        &self,
        scope: &Scope,
        ip: &Stored<Ip>,
    ) -> Result<(), Result<Key, ApiError>> {
        let release = Move::Release {
            pool: pool_of(ip.value.prefix),
            interval: Interval::one(prefix::number(ip.value.address)),
        };
        let old = ip.clone();
        let freed = self.apply(scope, vec![release], move |_, batch| {
            batch.delete(&old).map(drop)
        });
        match freed.await {
            Ok(_) => Ok(()),
            Err(IpamError::Conflict(key)) => Err(Ok(key)),
            Err(error) => Err(Err(error.into())),
        }
    }

    /// Takes an address out of the pool of a prefix; none if it has nothing that would do.
    async fn take(
        &self,
        scope: &Scope,
        of: IpNet,
        want: Want,
        project: &Project,
        draft: &Ip,
    ) -> Result<Option<Ip>, ApiError> {
        let pool = pool_of(of);
        let fence = self.require_project(scope, Some(&project.id))?;
        let mut retry = Retry::new("allocateIP");
        loop {
            let quota = self.quota(scope, project).await?;
            let acquire = Move::Acquire {
                pool: pool.clone(),
                want,
            };
            let ip = {
                let draft = draft.clone();
                move |acquired: &[Interval]| {
                    let number = acquired.first().map_or(0, |one| one.lo);
                    let address = prefix::address(&of, number).unwrap_or(of.network());
                    Ip {
                        id: address.to_string(),
                        address,
                        prefix: of,
                        ..draft.clone()
                    }
                }
            };
            let with = {
                let (ip, fence) = (ip.clone(), fence.clone());
                move |acquired: &[Interval], batch: &mut metal_storage::Batch| {
                    batch.insert(&ip(acquired))?;
                    batch.guards.extend(fence.clone());
                    match &quota {
                        Some(Ok(seen)) => batch.touch(seen)?,
                        Some(Err(new)) => batch.insert(new)?,
                        None => batch,
                    };
                    Ok(())
                }
            };
            match self.apply(scope, vec![acquire], with).await {
                Ok(applied) => return Ok(Some(ip(&applied.intervals))),
                Err(IpamError::Exhausted { .. } | IpamError::NoPool(_)) => {
                    return Ok(None);
                }
                // Of a global network: not one of the blocks that are owned here.
                Err(IpamError::Outside { .. }) => return Ok(None),
                Err(IpamError::Taken { .. }) => {
                    return Err(ApiError::conflict("ip already allocated"));
                }
                Err(IpamError::Reserved { .. }) => return Err(nobodys(of, want)),
                Err(IpamError::Conflict(key)) => {
                    self.refuse_gone(&key, Some(&project.id))?;
                    retry.after(&key).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Claims a block with what is wanted in it, unless one was claimed meanwhile, and takes it from
    /// there; another node of this partition may be faster, then another block.
    async fn take_of_new_block(
        &self,
        scope: &Scope,
        network: &Network,
        of: IpNet,
        want: Want,
        project: &Project,
        draft: &Ip,
    ) -> Result<Option<Ip>, ApiError> {
        // One at a time: those who waited find the others' block, or that there is none to be had.
        let asked = Instant::now();
        let mut failed = self.claiming().await;
        if let Some(ip) = self.take(scope, of, want, project, draft).await? {
            return Ok(Some(ip));
        }
        if failed.is_some_and(|failed| failed >= asked) {
            return Err(self.cut_off(scope, network, want, of).await?);
        }
        let pool = self.table::<Pool>(scope).key(pool_of(of).as_str())?;
        let mut retry = Retry::new("takeOfNewBlock");
        loop {
            let claimed = match want {
                Want::Value(number) => self.claim_with(scope, network, of, number).await,
                _ => {
                    let want = Want::UpTo(block_size(of));
                    let claimed = self.claim_block(&network.id, of, want).await;
                    claimed.map(|block| block.map(|_| Owner::Partition(self.home().clone())))
                }
            };
            *failed = None;
            let left = match claimed {
                Ok(Some(Owner::Partition(owner))) if owner != *self.home() => {
                    let ip = address(of, want);
                    return Err(ApiError::unavailable(format!(
                        "ip {ip} is in a block that partition {:?} owns: ask it there",
                        owner.as_str()
                    )));
                }
                Ok(owner) => owner.is_some(),
                Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => {
                    *failed = Some(Instant::now());
                    return Err(self.cut_off(scope, network, want, of).await?);
                }
                Err(error) => return Err(error),
            };
            let taken = self.take(scope, of, want, project, draft).await?;
            if taken.is_some() || !left {
                return Ok(taken);
            }
            retry.after(&pool).await?;
        }
    }

    /// Claims the block of one address, if it is nobody's, and gives its owner.
    async fn claim_with(
        &self,
        scope: &Scope,
        network: &Network,
        of: IpNet,
        number: u128,
    ) -> Result<Option<Owner>, ApiError> {
        let want = Want::Value(number);
        let reserved = prefix::reserved(&of);
        if reserved.iter().any(|reserved| reserved.holds(number)) {
            return Err(nobodys(of, want));
        }
        let ip = prefix::address(&of, number).unwrap_or(of.network());
        let owner = self.owner(of, ip).await?;
        match &owner {
            // Claimed, and not yet taken in.
            Owner::Partition(owner) if owner == self.home() => self.mend_blocks(scope).await?,
            Owner::Partition(_) => {}
            Owner::Nobody => {
                self.claim_block(&network.id, of, want).await?;
            }
        }
        Ok(Some(owner))
    }

    /// What makes sure that a project with a limit of addresses stays below it: a record that every
    /// such allocation in this scope rewrites. 422 if the limit is reached.
    async fn quota(
        &self,
        scope: &Scope,
        project: &Project,
    ) -> Result<Option<Result<Stored<Fence>, Fence>>, ApiError> {
        let quota = project.quotas.and_then(|quotas| quotas.ip);
        let Some(quota) = quota.filter(|quota| quota.limit.is_some_and(|limit| limit > 0)) else {
            return Ok(None);
        };
        let id = format!("quota/{}", project.id);
        // Before the addresses are counted, or one between the two is missed.
        let seen = self.table::<Fence>(scope).get(&id, Self::READ).await?;
        let mut used = 0;
        for scope in self.partitions().await? {
            let filter = Filter::eq("project", project.id.as_str());
            used += self
                .table::<Ip>(&scope)
                .list(filter, Self::READ)
                .await?
                .len();
        }
        if !quota.allows_another(used) {
            return Err(ApiError::refused(format!(
                "ip quota of project {:?} reached: it has {used} ips",
                project.id.as_str()
            )));
        }
        let since = clock::wall();
        Ok(Some(seen.ok_or(Fence { id, since })))
    }

    /// There is none left.
    async fn exhausted(
        &self,
        scope: &Scope,
        network: &Network,
        places: &[IpNet],
    ) -> Result<ApiError, ApiError> {
        let pools = self.pools(scope);
        let (mut size, mut free) = (0_u128, 0_u128);
        for of in places {
            if let Some(pool) = pools.get(&pool_of(*of), Self::READ).await? {
                size = size.saturating_add(pool.size);
                free = free.saturating_add(pool.counters.free);
            }
        }
        Ok(ApiError::internal(format!(
            "cannot allocate free ip in ipam, no ips left: {free} of the {size} addresses that network {:?} has here are free",
            network.id.as_str()
        )))
    }

    /// There may be some, but nobody can be asked.
    async fn cut_off(
        &self,
        scope: &Scope,
        network: &Network,
        want: Want,
        of: IpNet,
    ) -> Result<ApiError, ApiError> {
        let id = network.id.as_str();
        if let Want::Value(_) = want {
            let ip = address(of, want);
            return Ok(ApiError::unavailable(format!(
                "ip {ip} of network {id:?} is in no block of partition {:?}, and the global store \
                 does not answer to say whose it is: take any other, or restore the connection",
                self.home().as_str()
            )));
        }
        let blocks = self.table::<Block>(scope);
        let blocks = blocks.list(Filter::eq("network", id), Self::READ).await?;
        let addresses: u128 = blocks.iter().map(|block| block.value.interval.len()).sum();
        Ok(ApiError::unavailable(format!(
            "no ips left of network {id:?} in partition {:?}: all {addresses} addresses of its {} blocks are \
             handed out, and the global store does not answer to claim another block. \
             Free some, or restore the connection; then the next request claims one",
            self.home().as_str(),
            blocks.len()
        )))
    }
}

/// The prefix of a network that an address is of; 422 if none is.
fn holding(network: &Network, ip: IpAddr) -> Result<IpNet, ApiError> {
    network.prefixes.holding(ip).ok_or_else(|| {
        let prefixes: Vec<_> = network.prefixes.iter().map(|p| p.to_string()).collect();
        ApiError::refused(format!(
            "specific ip {ip} not contained in any of the defined prefixes: {}",
            prefixes.join(", ")
        ))
    })
}

/// The address that is wanted.
fn address(of: IpNet, want: Want) -> IpAddr {
    match want {
        Want::Value(number) => prefix::address(&of, number).unwrap_or(of.network()),
        _ => of.network(),
    }
}

fn nobodys(of: IpNet, want: Want) -> ApiError {
    let ip = address(of, want);
    let what = match ip == of.network() {
        true => "the network's own address",
        false => "the broadcast address",
    };
    ApiError::refused(format!("specific ip {ip} is {what} of {of}"))
}
