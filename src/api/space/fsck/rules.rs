//! What must agree with what.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use metal_storage::Scope;

use super::super::super::ApiError;
use super::super::pools::{pool_of, shown, space_of};
use super::super::vrf::{VRFS, vrf_pool};
use super::super::{Block, Claim, ClaimState, VrfUse};
use super::{Look, Part};
use crate::domain::{Family, Network};
use crate::ipam::{Interval, prefix};

// === impl Look ===

impl Look<'_> {
    /// Every root network has its claim, every claim its network, and all claims are out of the
    /// address space.
    pub(super) async fn claims(
        &mut self,
        claims: &[Claim],
        global: &Part,
        parts: &[Part],
    ) -> Result<(), ApiError> {
        let mut claimed = BTreeMap::<_, Vec<Interval>>::new();
        for claim in claims {
            let id = claim.network.as_str();
            for of in &claim.prefixes {
                let taken = claimed.entry(Family::from(*of)).or_default();
                taken.push(prefix::interval(of));
            }
            let scope = self.space.scope(claim.partition.as_ref())?;
            let all = std::iter::once(global).chain(parts);
            let mut networks = all
                .filter(|part| part.scope == scope)
                .flat_map(|part| &part.networks);
            match networks.find(|network| network.id == claim.network) {
                None => self.say(
                    &Scope::Global,
                    format!("network {id:?} is claimed for {scope} and is not there"),
                ),
                Some(network)
                    if !same(
                        &network.prefixes.iter().collect::<Vec<_>>(),
                        &claim.prefixes,
                    ) =>
                {
                    self.say(
                        &Scope::Global,
                        format!("network {id:?} has other prefixes than are claimed for it"),
                    );
                }
                Some(_) if claim.state != ClaimState::Held => self.say(
                    &Scope::Global,
                    format!("the claim of network {id:?} is {}", claim.state.as_str()),
                ),
                Some(_) => {}
            }
        }
        let known: BTreeSet<_> = claims.iter().map(|claim| &claim.network).collect();
        for part in std::iter::once(global).chain(parts) {
            for network in part
                .networks
                .iter()
                .filter(|network| network.parent.is_none())
            {
                if !known.contains(&network.id) {
                    let id = network.id.as_str();
                    self.say(&part.scope, format!("network {id:?} has no claim"));
                }
            }
        }
        for family in Family::ALL {
            let taken = claimed.remove(&family).unwrap_or_default();
            self.compare(global, &space_of(family), taken, "claimed")
                .await?;
        }
        Ok(())
    }

    /// Every block that a partition owns is taken in there, and no other.
    pub(super) fn blocks(&mut self, global: &Part, parts: &[Part]) {
        for part in parts {
            let Scope::Partition(name) = &part.scope else {
                continue;
            };
            let owned = global.blocks.iter();
            let owned = owned.filter(|block| block.partition.as_str() == name.as_str());
            let owned: BTreeMap<_, _> = owned.map(|block| (block.token, block)).collect();
            let taken: BTreeMap<_, _> = part.blocks.iter().map(|b| (b.token, b)).collect();
            for (token, block) in &owned {
                if !taken.contains_key(token) {
                    self.say(
                        &part.scope,
                        format!("{} is owned and not taken in", called(block)),
                    );
                }
            }
            for (token, block) in &taken {
                if block.returning {
                    self.say(
                        &part.scope,
                        format!("{} is not given back yet", called(block)),
                    );
                } else if !owned.contains_key(token) {
                    self.say(
                        &part.scope,
                        format!("{} is taken in and not owned", called(block)),
                    );
                }
            }
        }
    }

    /// Every pool is sound, of a network, and has handed out what the records say.
    pub(super) async fn pools(&mut self, part: &Part, global: &Part) -> Result<(), ApiError> {
        let scope = &part.scope;
        for flaw in self.space.pools(scope).check().await? {
            self.say(scope, flaw.to_string());
        }
        let mut named = BTreeSet::new();
        let own = part.networks.iter().map(|network| (network, false));
        let others = global.networks.iter().map(|network| (network, true));
        let others = others.filter(|_| *scope != Scope::Global);
        for (network, foreign) in own.chain(others) {
            for of in network.prefixes.iter() {
                let id = pool_of(of);
                named.insert(id.clone());
                if !part.pools.contains_key(&id) {
                    // A partition has one only if it has a block.
                    if !foreign {
                        let network = network.id.as_str();
                        self.say(scope, format!("{of} of network {network:?} has no pool"));
                    }
                    continue;
                }
                let taken = match (*scope == Scope::Global, network.private_super) {
                    (true, false) => of_blocks(part, of),
                    (_, true) => of_children(part, network, of),
                    _ => of_ips(part, of),
                };
                self.compare(part, &id, taken, "in use").await?;
            }
        }
        for id in part.pools.keys() {
            if id.as_str().starts_with("net/") && !named.contains(id) {
                self.say(scope, format!("pool {id} is of no network"));
            }
        }
        Ok(())
    }

    /// What records refer to is there.
    pub(super) fn references(&mut self, part: &Part, global: &Part, projects: &BTreeSet<&str>) {
        let networks = part.networks.iter().chain(&global.networks);
        let networks: BTreeMap<_, _> = networks.map(|n| (n.id.as_str(), n)).collect();
        for ip in &part.ips {
            match networks.get(ip.network.as_str()) {
                None => self.say(
                    &part.scope,
                    format!(
                        "ip {} is of network {:?}, which is not there",
                        ip.id,
                        ip.network.as_str()
                    ),
                ),
                Some(network) if !network.prefixes.iter().any(|of| of == ip.prefix) => self.say(
                    &part.scope,
                    format!(
                        "ip {} is of {}, which its network does not have",
                        ip.id, ip.prefix
                    ),
                ),
                Some(_) => {}
            }
            if !projects.contains(ip.project.as_str()) {
                let project = ip.project.as_str();
                self.say(
                    &part.scope,
                    format!("ip {} is of project {project:?}, which is not there", ip.id),
                );
            }
        }
        for network in &part.networks {
            let id = network.id.as_str();
            if let Some(project) = &network.project
                && !projects.contains(project.as_str())
            {
                let project = project.as_str();
                self.say(
                    &part.scope,
                    format!("network {id:?} is of project {project:?}, which is not there"),
                );
            }
            if let Some(parent) = &network.parent
                && !networks.contains_key(parent.as_str())
            {
                let parent = parent.as_str();
                self.say(
                    &part.scope,
                    format!("network {id:?} is of super network {parent:?}, which is not there"),
                );
            }
        }
    }

    /// VRFs are noted for the networks that have them, and out of the pool.
    pub(super) async fn vrfs(&mut self, part: &Part, global: &Part) -> Result<(), ApiError> {
        let mut networks: Vec<_> = part.networks.iter().collect();
        if part.scope != Scope::Global && !part.pools.contains_key(&vrf_pool()) {
            // Nobody has asked for one yet.
            networks.retain(|network| network.vrf.is_some());
        } else if part.scope != Scope::Global {
            networks.extend(&global.networks);
        }
        let mut have = BTreeSet::new();
        for network in &networks {
            if let Some(vrf) = network.vrf {
                have.insert((vrf.to_string(), network.id.as_str()));
            }
        }
        let mut noted = BTreeSet::new();
        for vrf in &part.vrfs {
            noted.extend(vrf.networks.iter().map(|id| (vrf.id.clone(), id.as_str())));
        }
        for (vrf, id) in have.difference(&noted) {
            self.say(
                &part.scope,
                format!("vrf {vrf} of network {id:?} is not noted"),
            );
        }
        for (vrf, id) in noted.difference(&have) {
            self.say(
                &part.scope,
                format!("vrf {vrf} is noted for network {id:?}, which has it not"),
            );
        }
        if part.pools.contains_key(&vrf_pool()) {
            let number = |vrf: &VrfUse| vrf.id.parse().ok().filter(|n| VRFS.holds(*n));
            let taken = part.vrfs.iter().filter_map(number).map(Interval::one);
            self.compare(part, &vrf_pool(), taken.collect(), "noted")
                .await?;
        }
        Ok(())
    }
}

fn of_ips(part: &Part, of: IpNet) -> Vec<Interval> {
    let ips = part.ips.iter().filter(|ip| ip.prefix == of);
    ips.map(|ip| Interval::one(prefix::number(ip.address)))
        .collect()
}

fn of_blocks(part: &Part, of: IpNet) -> Vec<Interval> {
    let blocks = part.blocks.iter().filter(|block| block.prefix == of);
    blocks.map(|block| block.interval).collect()
}

fn of_children(part: &Part, network: &Network, of: IpNet) -> Vec<Interval> {
    let children = part.networks.iter();
    let children = children.filter(|child| child.parent.as_ref() == Some(&network.id));
    let prefixes = children.flat_map(|child| child.prefixes.iter());
    let prefixes = prefixes.filter(|child| of.contains(child));
    prefixes.map(|child| prefix::interval(&child)).collect()
}

fn called(block: &Block) -> String {
    format!(
        "block {} of network {:?}",
        shown(&pool_of(block.prefix), &block.interval),
        block.network.as_str()
    )
}

fn same(a: &[IpNet], b: &[IpNet]) -> bool {
    let set = |prefixes: &[IpNet]| prefixes.iter().copied().collect::<BTreeSet<_>>();
    set(a) == set(b)
}
