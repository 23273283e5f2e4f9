//! The pools of networks.

use ipnet::IpNet;
use metal_storage::{Batch, Error, Scope};

use super::super::ApiError;
use super::Space;
use crate::domain::{Family, Network};
use crate::ipam::{Applied, Extra, Interval, IpamError, Move, PoolId, prefix};

/// Free intervals that are read at once.
const PAGE: usize = 500;

/// Names the pool of a prefix: no two networks of a scope have the same.
pub(crate) fn pool_of(prefix: IpNet) -> PoolId {
    let name = format!("net/{}-{}", prefix.network(), prefix.prefix_len());
    PoolId::try_from(name.as_str()).expect("prefixes are short and of these characters")
}

/// All address space of a family.
pub(crate) fn space_of(family: Family) -> PoolId {
    let name = match family {
        Family::V4 => "space/4",
        Family::V6 => "space/6",
    };
    PoolId::try_from(name).expect("the names are short and of these characters")
}

/// Values of a pool as people write them: addresses, or numbers.
pub(crate) fn shown(pool: &PoolId, interval: &Interval) -> String {
    let like: Option<IpNet> = match pool.as_str() {
        "space/4" => "0.0.0.0/0".parse().ok(),
        "space/6" => "::/0".parse().ok(),
        name => name
            .strip_prefix("net/")
            .and_then(|name| name.replace('-', "/").parse().ok()),
    };
    let text = |number| match like.and_then(|like| prefix::address(&like, number)) {
        Some(address) => address.to_string(),
        None => number.to_string(),
    };
    match interval.lo == interval.hi {
        true => text(interval.lo),
        false => format!("{}-{}", text(interval.lo), text(interval.hi)),
    }
}

/// Makes the pool of a prefix of a network. Of a super network all is for children, which have
/// reserved addresses of their own.
pub(crate) fn create(network: &Network, of: IpNet) -> Move {
    Move::Create {
        pool: pool_of(of),
        spans: vec![prefix::interval(&of)],
        reserved: match network.private_super {
            true => vec![],
            false => prefix::reserved(&of),
        },
    }
}

/// The guards and writes of a batch, to go with moves.
pub(crate) fn extra(batch: Batch) -> Extra {
    Extra {
        guards: batch.guards,
        writes: batch.writes,
        moves: vec![],
    }
}

// === impl Space ===

impl Space {
    /// Carries out moves with what `with` makes of what they acquired. `with` gets an empty batch of
    /// the scope to fill.
    pub(crate) async fn apply(
        &self,
        scope: &Scope,
        moves: Vec<Move>,
        with: impl Fn(&[Interval], &mut Batch) -> metal_storage::Result<()> + Send + Sync + 'static,
    ) -> Result<Applied, IpamError> {
        let of = scope.clone();
        let with = move |acquired: &[Interval]| -> Result<Extra, Error> {
            let mut batch = Batch::new(of.clone());
            with(acquired, &mut batch)?;
            Ok(extra(batch))
        };
        self.allocator(scope).apply(moves, with).await
    }

    /// What is free of a pool within these values, in order.
    pub(super) async fn free(
        &self,
        scope: &Scope,
        pool: &PoolId,
        within: Interval,
    ) -> Result<Vec<Interval>, ApiError> {
        let pools = self.pools(scope);
        let mut after = within.lo.checked_sub(1);
        let mut all = Vec::new();
        loop {
            let page = pools.free(pool, after, PAGE, Self::READ).await?;
            all.extend(page.iter().filter_map(|free| free.common(&within)));
            match page.last() {
                Some(last) if last.hi < within.hi => after = Some(last.hi),
                _ => return Ok(all),
            }
        }
    }
}
