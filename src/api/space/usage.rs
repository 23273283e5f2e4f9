//! How full networks are.

use std::collections::BTreeMap;

use metal_storage::{Filter, Scope, Stored};

use super::super::ApiError;
use super::pools::pool_of;
use super::{Block, Claim, Space};
use crate::domain::{Family, Ip, Network, PartitionId};
use crate::ipam::{Pool, Usage, prefix};

/// The heads of all pools of all scopes.
pub(crate) struct Heads(BTreeMap<Scope, BTreeMap<String, Pool>>);

// === impl Space ===

impl Space {
    /// The figures of one network, by family. Costs a look-up for each prefix, and of a global
    /// network one for each partition besides.
    pub(crate) async fn usage(
        &self,
        scope: &Scope,
        network: &Network,
    ) -> Result<BTreeMap<Family, Usage>, ApiError> {
        let mut scopes = vec![scope.clone()];
        if *scope == Scope::Global {
            scopes.extend(self.partitions().await?);
        }
        let mut heads = BTreeMap::<_, BTreeMap<_, _>>::new();
        for scope in scopes {
            let pools = self.pools(&scope);
            for prefix in network.prefixes.iter() {
                let id = pool_of(prefix);
                if let Some(found) = pools.get(&id, Self::READ).await? {
                    let heads = heads.entry(scope.clone()).or_default();
                    heads.insert(id.as_str().to_owned(), found);
                }
            }
        }
        Ok(Heads(heads).usage(scope, network))
    }

    /// The heads of all pools, for many networks.
    pub(crate) async fn heads(&self, scopes: &[Scope]) -> Result<Heads, ApiError> {
        let mut all = BTreeMap::new();
        for scope in scopes {
            let pools = self.pools(scope).list("", Self::READ).await?;
            let by_id = |pool: Pool| (pool.id.as_str().to_owned(), pool);
            all.insert(scope.clone(), pools.into_iter().map(by_id).collect());
        }
        Ok(Heads(all))
    }

    /// 422 if a partition has networks, or addresses of global ones. Whoever makes a network there
    /// gives the partition's record a new version: so the caller deletes it as it was read before.
    pub(crate) async fn refuse_partition_in_use(&self, id: &PartitionId) -> Result<(), ApiError> {
        let mut used = Vec::new();
        let claims = self.table::<Claim>(&Scope::Global);
        for claim in claims.list(Filter::all(), Self::READ).await? {
            if claim.value.partition.as_ref() == Some(id) {
                used.push(format!("network {:?}", claim.value.network.as_str()));
            }
        }
        let blocks = self.table::<Block>(&Scope::Global);
        let of_partition = Filter::eq("partition", id.as_str());
        for block in blocks.list(of_partition, Self::READ).await? {
            let network = block.value.network.as_str();
            used.push(format!("a block of network {network:?}"));
        }
        match used.is_empty() {
            true => Ok(()),
            false => Err(ApiError::refused(format!(
                "partition {:?} cannot be deleted, it has {}",
                id.as_str(),
                super::fences::first(&used)
            ))),
        }
    }

    /// 422 if something is of the network: children, addresses.
    pub(crate) async fn refuse_used(
        &self,
        scope: &Scope,
        network: &Network,
    ) -> Result<(), ApiError> {
        let id = network.id.as_str();
        let children = self.table::<Network>(scope);
        let children = children.list(Filter::eq("parent", id), Self::READ).await?;
        if !children.is_empty() {
            let of = |child: &Stored<Network>| format!("{:?}", child.value.id.as_str());
            let ids: Vec<_> = children.iter().map(of).collect();
            return Err(ApiError::refused(format!(
                "network {id:?} cannot be deleted because there are child networks: {}",
                super::fences::first(&ids)
            )));
        }
        let scopes = match scope {
            Scope::Global => self.partitions().await?,
            _ => vec![scope.clone()],
        };
        for scope in scopes {
            let ips = self.table::<Ip>(&scope);
            let ips = ips.list(Filter::eq("network", id), Self::READ).await?;
            if !ips.is_empty() {
                let ids: Vec<_> = ips.iter().map(|ip| ip.value.id.clone()).collect();
                return Err(ApiError::refused(format!(
                    "network {id:?} cannot be deleted because there are ips in use: {}",
                    super::fences::first(&ids)
                )));
            }
        }
        Ok(())
    }
}

// === impl Heads ===

impl Heads {
    /// The figures of a network in `scope`, by family.
    pub(crate) fn usage(&self, scope: &Scope, network: &Network) -> BTreeMap<Family, Usage> {
        let mut usage = BTreeMap::new();
        for of in network.prefixes.iter() {
            let id = pool_of(of);
            let Some(own) = self.0.get(scope).and_then(|pools| pools.get(id.as_str())) else {
                continue;
            };
            let mut figures = match network.private_super {
                true => Usage::of_children(&of, own),
                false => Usage::of_addresses(&of, own),
            };
            if *scope == Scope::Global && !network.private_super {
                // Blocks of partitions are out of the global pool, and used only as far as theirs.
                let others = self.0.iter().filter(|(of, _)| **of != Scope::Global);
                let pools = others.filter_map(|(_, pools)| pools.get(id.as_str()));
                let used: u64 = pools.map(|pool| pool.acquired).sum();
                figures.used_ips = used.saturating_add(prefix::reserved(&of).len() as u64);
            }
            let sum: &mut Usage = usage.entry(Family::from(of)).or_default();
            *sum = sum.and(figures);
        }
        usage
    }
}
