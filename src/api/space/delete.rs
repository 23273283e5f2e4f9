//! Deleting networks.

use metal_storage::{Batch, Scope, Stored};

use super::super::ApiError;
use super::super::records::changed;
use super::super::retry::Retry;
use super::pools::pool_of;
use super::{ClaimState, Space};
use crate::domain::Network;
use crate::ipam::{Interval, IpamError, Move};

// === impl Space ===

impl Space {
    /// Deletes a root network that nothing uses.
    ///
    /// # Errors
    /// 422 naming what uses it, 409 if it was changed since it was read.
    pub(crate) async fn delete_root(
        &self,
        scope: &Scope,
        network: &Stored<Network>,
    ) -> Result<(), ApiError> {
        let id = network.value.id.as_str();
        self.refuse_used(scope, &network.value).await?;
        if *scope == Scope::Global {
            self.return_blocks(&network.value).await?;
        }
        let releasing = self.mark(id, ClaimState::Releasing).await?;
        let deleted = self.delete_network(scope, network, vec![]).await;
        if let Some(claim) = releasing {
            let settled = self.settle(&claim.value).await;
            deleted?;
            if let Err(error) = settled {
                // The network is gone; its address space follows.
                tracing::warn!(network = id, %error, "a claim is not released yet");
            }
            return Ok(());
        }
        deleted
    }

    /// Deletes the record of a network with its pools and its VRF, and what `more` says, in one
    /// commit. A pool that is in use keeps it.
    pub(crate) async fn delete_network(
        &self,
        scope: &Scope,
        network: &Stored<Network>,
        more: Vec<Move>,
    ) -> Result<(), ApiError> {
        let id = &network.value.id;
        let own = self.table::<Network>(scope).key(id.as_str())?;
        let mut retry = Retry::new("deleteNetwork");
        loop {
            let delete = |prefix| Move::Delete {
                pool: pool_of(prefix),
            };
            let mut moves: Vec<_> = network.value.prefixes.iter().map(delete).collect();
            moves.extend(more.clone());
            let vrf = match (network.value.vrf, scope) {
                // Of a global network, settling the claim gives it back.
                (Some(vrf), Scope::Partition(_)) => {
                    let plan = self.plan_vrf_release(scope, id, vrf).await?;
                    moves.extend(plan.moves.clone());
                    Some((vrf, plan))
                }
                _ => None,
            };
            let old = network.clone();
            let with = move |_: &[Interval], batch: &mut Batch| {
                batch.delete(&old)?;
                if let Some((vrf, plan)) = &vrf {
                    plan.write((*vrf).into(), batch)?;
                }
                Ok(())
            };
            match self.apply(scope, moves, with).await {
                Ok(_) => return Ok(()),
                Err(IpamError::Conflict(key)) if key == own => {
                    return Err(changed::<Network>(id.as_str()));
                }
                Err(IpamError::Conflict(key)) => retry.after(&key).await?,
                Err(IpamError::InUse { pool, acquired }) => {
                    return Err(ApiError::refused(format!(
                        "network {:?} cannot be deleted, {acquired} of {pool} are in use",
                        id.as_str()
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
