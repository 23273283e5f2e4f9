//! Changing networks, their prefixes among the rest.

use ipnet::IpNet;
use metal_storage::{Batch, Error, Guard, Scope, Stored};
use uuid::Uuid;

use super::super::ApiError;
use super::super::records::changed;
use super::super::retry::Retry;
use super::pools::{self, pool_of, space_of};
use super::settle::of_claim;
use super::{Claim, ClaimState, Space};
use crate::clock;
use crate::commit::commit;
use crate::domain::{Family, Network};
use crate::ipam::{Interval, IpamError, Move, Want, prefix};

// === impl Space ===

impl Space {
    /// Replaces a network as it was read.
    ///
    /// # Errors
    /// 409 if it was changed since, or a new prefix overlaps another network's; 422 if a prefix that
    /// is removed is in use.
    pub(crate) async fn change_network(
        &self,
        scope: &Scope,
        old: &Stored<Network>,
        new: &Network,
    ) -> Result<(), ApiError> {
        let is_in = |network: &Network, wanted: IpNet| network.prefixes.iter().any(|p| p == wanted);
        let added: Vec<_> = new
            .prefixes
            .iter()
            .filter(|p| !is_in(&old.value, *p))
            .collect();
        let removed: Vec<_> = old
            .value
            .prefixes
            .iter()
            .filter(|p| !is_in(new, *p))
            .collect();
        if added.is_empty() && removed.is_empty() {
            let mut batch = Batch::new(scope.clone());
            batch.replace(old, new)?;
            return match commit(self.store(scope), batch).await {
                Ok(_) => Ok(()),
                Err(Error::Conflict(_)) => Err(changed::<Network>(new.id.as_str())),
                Err(error) => Err(error.into()),
            };
        }
        if *scope == Scope::Global {
            self.return_blocks_of(&old.value, &removed).await?;
        }
        let claim = self.extend(new, &added).await?;
        let changed = self
            .change_prefixes(scope, old, new, &claim, &added, &removed)
            .await;
        // Gives back what is not the network's in the end.
        if let Err(error) = self.settle(&claim).await {
            let network = new.id.as_str();
            tracing::warn!(network, %error, "a claim is not settled yet");
        }
        changed
    }

    /// Claims more address space for a network.
    async fn extend(&self, network: &Network, added: &[IpNet]) -> Result<Claim, ApiError> {
        let id = network.id.as_str();
        let claims = self.table::<Claim>(&Scope::Global);
        let mut retry = Retry::new("updateNetwork");
        loop {
            let Some(seen) = claims.get(id, Self::READ).await? else {
                return Err(ApiError::no_entity("network", id));
            };
            if seen.value.state != ClaimState::Held {
                return Err(ApiError::conflict(format!(
                    "network {id:?} is being made, changed or deleted"
                )));
            }
            let mut claim = seen.value.clone();
            claim.prefixes.extend(added);
            claim.state = ClaimState::Pending;
            claim.token = Uuid::new_v4();
            claim.since = clock::wall();
            let acquire = |of: &IpNet| Move::Acquire {
                pool: space_of(Family::from(*of)),
                want: Want::Range(prefix::interval(of)),
            };
            let moves = added.iter().map(acquire).collect();
            let new = claim.clone();
            let with =
                move |_: &[Interval], batch: &mut Batch| batch.replace(&seen, &new).map(drop);
            match self.apply(&Scope::Global, moves, with).await {
                Ok(_) => return Ok(claim),
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(IpamError::Taken { .. }) => return Err(self.overlap(network).await?),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn change_prefixes(
        &self,
        scope: &Scope,
        old: &Stored<Network>,
        new: &Network,
        claim: &Claim,
        added: &[IpNet],
        removed: &[IpNet],
    ) -> Result<(), ApiError> {
        let id = new.id.as_str();
        let delete = |of: &IpNet| Move::Delete { pool: pool_of(*of) };
        let create = |of: &IpNet| pools::create(new, *of);
        let moves = removed
            .iter()
            .map(delete)
            .chain(added.iter().map(create))
            .collect();
        let fence = Guard::Absent(self.fence(scope, &of_claim(claim))?);
        let (seen, now) = (old.clone(), new.clone());
        let with = move |_: &[Interval], batch: &mut Batch| {
            batch.replace(&seen, &now)?;
            batch.guards.push(fence.clone());
            Ok(())
        };
        match self.apply(scope, moves, with).await {
            Ok(_) => Ok(()),
            Err(IpamError::Conflict(_)) => Err(changed::<Network>(id)),
            Err(IpamError::InUse { pool, acquired }) => Err(ApiError::refused(format!(
                "prefixes: {acquired} of {pool} of network {id:?} are in use, it cannot be removed"
            ))),
            Err(error) => Err(error.into()),
        }
    }
}
