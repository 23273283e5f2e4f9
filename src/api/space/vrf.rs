//! VRFs: numbers of a partition, each of one network or of several that share it. Those of global
//! networks are kept in every partition.

use metal_storage::{Batch, Filter, Scope, Stored};

use super::super::ApiError;
use super::super::retry::Retry;
use super::{Space, VrfUse};
use crate::domain::NetworkId;
use crate::ipam::{Interval, IpamError, Move, PoolId, Want};

/// The VRFs that there are.
pub(crate) const VRFS: Interval = Interval { lo: 1, hi: 131_072 };

/// The ASNs of machines that there are, less the first one, 4210000000.
pub(crate) const ASNS: Interval = Interval { lo: 1, hi: 131_072 };

/// The pool of VRFs.
pub(crate) fn vrf_pool() -> PoolId {
    PoolId::try_from("vrf").expect("a short name")
}

/// The pool of machines' ASNs.
pub(crate) fn asn_pool() -> PoolId {
    PoolId::try_from("asn").expect("a short name")
}

/// How a network gets its VRF, or gives it back.
pub(crate) struct VrfPlan {
    /// What to do in the pool.
    pub moves: Vec<Move>,
    /// What is noted of the VRF now, if it is noted already.
    seen: Option<Stored<VrfUse>>,
    /// What is to be noted; none to forget it. The number is known only once it is acquired where
    /// any would do.
    noted: Option<VrfUse>,
}

// === impl VrfPlan ===

impl VrfPlan {
    /// Adds what goes with the moves. `number` is the VRF.
    pub fn write(&self, number: u128, batch: &mut Batch) -> metal_storage::Result<()> {
        match (&self.seen, &self.noted) {
            (None, Some(noted)) => batch.insert(&VrfUse {
                id: number.to_string(),
                ..noted.clone()
            })?,
            (Some(seen), Some(noted)) => batch.replace(seen, noted)?,
            (Some(seen), None) => batch.delete(seen)?,
            (None, None) => batch,
        };
        Ok(())
    }
}

// === impl Space ===

impl Space {
    /// Plans that a network of this scope gets a VRF: the given one, or any. In the global scope
    /// there is no pool, only the note.
    ///
    /// # Errors
    /// 400 for a number that is no VRF, 409 if it is another network's and not shared.
    pub(crate) async fn plan_vrf(
        &self,
        scope: &Scope,
        network: &NetworkId,
        wanted: Option<u32>,
        shared: bool,
    ) -> Result<VrfPlan, ApiError> {
        let noted = VrfUse {
            id: wanted.map(|vrf| vrf.to_string()).unwrap_or_default(),
            networks: vec![network.clone()],
            shared,
        };
        let pool = vrf_pool();
        let acquire = |want| match scope {
            Scope::Global => vec![],
            _ => vec![Move::Acquire {
                pool: pool.clone(),
                want,
            }],
        };
        let Some(vrf) = wanted else {
            return Ok(VrfPlan {
                moves: acquire(Want::Any),
                seen: None,
                noted: Some(noted),
            });
        };
        if !VRFS.holds(vrf.into()) {
            return Err(ApiError::bad_request(format!(
                "vrf: {vrf} is none, they are {} to {}",
                VRFS.lo, VRFS.hi
            )));
        }
        let uses = self.table::<VrfUse>(scope);
        let Some(seen) = uses.get(&vrf.to_string(), Self::READ).await? else {
            return Ok(VrfPlan {
                moves: acquire(Want::Value(vrf.into())),
                seen: None,
                noted: Some(noted),
            });
        };
        let mut noted = seen.value.clone();
        if noted.networks.contains(network) {
            // A plan that is carried out once more.
            return Ok(VrfPlan {
                moves: vec![],
                seen: None,
                noted: None,
            });
        }
        if !(shared && noted.shared) {
            return Err(vrf_taken(vrf, &noted));
        }
        noted.networks.push(network.clone());
        Ok(VrfPlan {
            moves: vec![],
            seen: Some(seen),
            noted: Some(noted),
        })
    }

    /// Plans that a network gives its VRF back.
    pub(crate) async fn plan_vrf_release(
        &self,
        scope: &Scope,
        network: &NetworkId,
        vrf: u32,
    ) -> Result<VrfPlan, ApiError> {
        let uses = self.table::<VrfUse>(scope);
        let seen = uses.get(&vrf.to_string(), Self::READ).await?;
        let mut plan = VrfPlan {
            moves: vec![],
            noted: None,
            seen: None,
        };
        let Some(seen) = seen.filter(|seen| seen.value.networks.contains(network)) else {
            return Ok(plan);
        };
        let mut noted = seen.value.clone();
        noted.networks.retain(|other| other != network);
        plan.seen = Some(seen);
        if !noted.networks.is_empty() {
            plan.noted = Some(noted);
        } else if *scope != Scope::Global {
            plan.moves = vec![Move::Release {
                pool: vrf_pool(),
                interval: Interval::one(vrf.into()),
            }];
        }
        Ok(plan)
    }

    /// Keeps the VRF of a global network in a partition.
    pub(super) async fn reserve_vrf(
        &self,
        scope: &Scope,
        network: &NetworkId,
        vrf: u32,
        shared: bool,
    ) -> Result<(), ApiError> {
        let mut retry = Retry::new("reserveVrf");
        let mut missing = false;
        loop {
            let mut plan = self.plan_vrf(scope, network, Some(vrf), shared).await?;
            if missing && !plan.moves.is_empty() {
                // It was left out when the pool was made.
                let grow = Move::Grow {
                    pool: vrf_pool(),
                    interval: Interval::one(vrf.into()),
                };
                plan.moves.insert(0, grow);
            }
            match self.carry_out_vrf(scope, plan, vrf).await {
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(IpamError::NoPool(_)) => Box::pin(self.make_number_pools(scope)).await?,
                Err(IpamError::Outside { .. }) if !missing => missing = true,
                Err(IpamError::Overlap { .. }) if missing => missing = false,
                Err(IpamError::Taken { .. }) => {
                    return Err(ApiError::conflict(format!(
                        "vrf {vrf} is already taken in {scope}"
                    )));
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Gives back what [`reserve_vrf`](Self::reserve_vrf) has kept, if it has.
    pub(super) async fn free_vrf(
        &self,
        scope: &Scope,
        network: &NetworkId,
        vrf: u32,
    ) -> Result<(), ApiError> {
        let mut retry = Retry::new("freeVrf");
        loop {
            let plan = self.plan_vrf_release(scope, network, vrf).await?;
            match self.carry_out_vrf(scope, plan, vrf).await {
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                outcome => return Ok(outcome?),
            }
        }
    }

    async fn carry_out_vrf(&self, scope: &Scope, plan: VrfPlan, vrf: u32) -> Result<(), IpamError> {
        if plan.seen.is_none() && plan.noted.is_none() {
            return Ok(());
        }
        let moves = plan.moves.clone();
        let with = move |_: &[Interval], batch: &mut Batch| plan.write(vrf.into(), batch);
        self.apply(scope, moves, with).await.map(drop)
    }

    /// Makes the pools of VRFs and ASNs of a partition, without the VRFs of the global networks:
    /// those are kept for them, one by one.
    pub(crate) async fn make_number_pools(&self, scope: &Scope) -> Result<(), ApiError> {
        let global = self.table::<VrfUse>(&Scope::Global);
        let kept = global.list(Filter::all(), Self::READ).await?;
        let number = |kept: &Stored<VrfUse>| kept.value.id.parse().ok();
        let mut kept: Vec<u128> = kept.iter().filter_map(number).collect();
        kept.sort_unstable();
        let create = |pool, spans| Move::Create {
            pool,
            spans,
            reserved: vec![],
        };
        let moves = vec![
            create(vrf_pool(), between(VRFS, &kept)),
            create(asn_pool(), vec![ASNS]),
        ];
        match self.apply(scope, moves, |_, _| Ok(())).await {
            // Another was faster.
            Ok(_) | Err(IpamError::Exists(_) | IpamError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.keep_vrfs(scope).await
    }

    /// Keeps the VRFs of all global networks in a partition that has a pool of them.
    pub(super) async fn keep_vrfs(&self, scope: &Scope) -> Result<(), ApiError> {
        let pools = self.pools(scope);
        if pools.get(&vrf_pool(), Self::READ).await?.is_none() {
            return Ok(());
        }
        let global = self.table::<VrfUse>(&Scope::Global);
        for kept in global.list(Filter::all(), Self::READ).await? {
            let Ok(vrf) = kept.value.id.parse() else {
                continue;
            };
            for network in &kept.value.networks {
                self.reserve_vrf(scope, network, vrf, kept.value.shared)
                    .await?;
            }
        }
        Ok(())
    }
}

/// What is between numbers, which are in order.
fn between(all: Interval, without: &[u128]) -> Vec<Interval> {
    let mut spans = Vec::new();
    let mut next = all.lo;
    for &number in without.iter().filter(|number| all.holds(**number)) {
        spans.extend(number.checked_sub(1).and_then(|hi| Interval::new(next, hi)));
        next = number + 1;
    }
    spans.extend(Interval::new(next, all.hi));
    spans
}

fn vrf_taken(vrf: u32, noted: &VrfUse) -> ApiError {
    let of: Vec<_> = noted
        .networks
        .iter()
        .map(|id| format!("{:?}", id.as_str()))
        .collect();
    ApiError::conflict(format!(
        "cannot acquire a unique vrf id twice except vrfShared is set to true: {vrf} is of network {}",
        super::fences::first(&of)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_made_of_what_is_between_the_numbers_that_are_kept() {
        let all = Interval { lo: 1, hi: 9 };
        let spans = |kept: &[u128]| {
            let spans = between(all, kept);
            spans
                .iter()
                .map(|span| (span.lo, span.hi))
                .collect::<Vec<_>>()
        };
        assert_eq!(spans(&[]), [(1, 9)]);
        assert_eq!(spans(&[1, 2, 5, 9, 20]), [(3, 4), (6, 8)]);
        assert_eq!(spans(&[0, 4]), [(1, 3), (5, 9)]);
    }
}
