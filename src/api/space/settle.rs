//! Finishing and undoing the plans of claims.

use ipnet::IpNet;
use metal_storage::{Batch, Error, Scope, Stored};

use super::super::ApiError;
use super::super::retry::Retry;
use super::pools::space_of;
use super::{Claim, ClaimState, Space};
use crate::clock;
use crate::commit::commit;
use crate::domain::{Family, Network, NetworkId};
use crate::ipam::{Interval, IpamError, Move, prefix};

// === impl Space ===

impl Space {
    /// Finishes the plan of a claim if its network is there, and undoes it if not: what it holds is
    /// then what the network has. May be called at any time, by anyone, and again.
    pub(crate) async fn settle(&self, claim: &Claim) -> Result<(), ApiError> {
        let scope = self.scope(claim.partition.as_ref())?;
        // Whoever still wanted to go on with the plan cannot any more, or has.
        self.put_fence(&scope, of_claim(claim)).await?;
        let networks = self.table::<Network>(&scope);
        let network = networks.get(claim.network.as_str(), Self::READ).await?;
        if let (None, None, Some(vrf)) = (&network, &claim.partition, claim.vrf) {
            for scope in self.partitions().await? {
                self.free_vrf(&scope, &claim.network, vrf).await?;
            }
        }
        self.fit(claim, network.map(|network| network.value)).await
    }

    /// Makes a claim hold what the network has, and no claim if there is no network.
    async fn fit(&self, claim: &Claim, network: Option<Network>) -> Result<(), ApiError> {
        let claims = self.table::<Claim>(&Scope::Global);
        let mut retry = Retry::new("settleClaim");
        loop {
            let Some(seen) = claims.get(claim.network.as_str(), Self::READ).await? else {
                return Ok(());
            };
            if seen.value.token != claim.token {
                return Ok(());
            }
            let has = |of: &IpNet| {
                let network = network.as_ref();
                network.is_some_and(|network| network.prefixes.iter().any(|p| p == *of))
            };
            let release = |of: &IpNet| Move::Release {
                pool: space_of(Family::from(*of)),
                interval: prefix::interval(of),
            };
            let (kept, lost): (Vec<IpNet>, Vec<IpNet>) =
                seen.value.prefixes.iter().copied().partition(has);
            let moves = lost.iter().map(release).collect();
            let held = Claim {
                prefixes: kept,
                state: ClaimState::Held,
                since: clock::wall(),
                ..seen.value.clone()
            };
            let vrf = match (&network, seen.value.vrf) {
                (None, Some(vrf)) => {
                    let of = &claim.network;
                    Some((vrf, self.plan_vrf_release(&Scope::Global, of, vrf).await?))
                }
                _ => None,
            };
            let is_there = network.is_some();
            let with = move |_: &[Interval], batch: &mut Batch| {
                match is_there {
                    true => batch.replace(&seen, &held)?,
                    false => batch.delete(&seen)?,
                };
                if let Some((vrf, plan)) = &vrf {
                    plan.write((*vrf).into(), batch)?;
                }
                Ok(())
            };
            match self.apply(&Scope::Global, moves, with).await {
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                outcome => return outcome.map(drop).map_err(Into::into),
            }
        }
    }

    /// Notes how far a claim is; none if there is no such claim.
    pub(super) async fn mark(
        &self,
        network: &str,
        state: ClaimState,
    ) -> Result<Option<Stored<Claim>>, ApiError> {
        let claims = self.table::<Claim>(&Scope::Global);
        let mut retry = Retry::new("markClaim");
        loop {
            let Some(seen) = claims.get(network, Self::READ).await? else {
                return Ok(None);
            };
            if seen.value.state == state {
                return Ok(Some(seen));
            }
            let new = Claim {
                state,
                since: clock::wall(),
                ..seen.value.clone()
            };
            let mut batch = Batch::new(Scope::Global);
            batch.replace(&seen, &new)?;
            match commit(self.store(&Scope::Global), batch).await {
                Ok(_) => continue,
                Err(Error::Conflict(key)) => retry.after(&key).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The network is there; what failed here, the upkeep does.
    pub(super) async fn mark_held(&self, network: &NetworkId) {
        if let Err(error) = self.mark(network.as_str(), ClaimState::Held).await {
            tracing::warn!(network = network.as_str(), %error, "a claim is not marked as held yet");
        }
    }
}

/// The id of a claim's fence.
pub(super) fn of_claim(claim: &Claim) -> String {
    format!("claim/{}", claim.token)
}
