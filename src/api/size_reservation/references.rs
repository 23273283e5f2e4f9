//! What a reservation refers to exists as long as the reservation does.
//!
//! Writing a reservation requires the records that it names, and changes the table's sentinel;
//! deleting one of those records requires the sentinel. So of the two at once one sees the other.

use futures::future::try_join_all;
use metal_storage::{Batch, Error, Filter, Scope, Stored};

use super::reservations;
use crate::api::commit::commit;
use crate::api::exclusive::Watch;
use crate::api::records::{Records, changed, exists};
use crate::api::retry::Retry;
use crate::api::{ApiError, ApiState};
use crate::domain::{Partition, Project, Size, SizeReservation};

/// Ids of reservations that a refusal names at most.
const NAMED: usize = 10;

/// Writes `new`, instead of `old` if that is given, if all that it refers to exists. Costs a read
/// for each of its partitions, and three.
///
/// # Errors
/// 404 for what does not exist; 409 if there is a reservation of that id already, or if `old` is
/// not what is stored; 503 after too many conflicts with other changes.
pub(super) async fn write(
    state: &ApiState,
    operation: &'static str,
    old: Option<&Stored<SizeReservation>>,
    new: &SizeReservation,
) -> Result<(), ApiError> {
    let id = new.id.as_str();
    let key = reservations(state).key(id)?;
    let sizes = Records::<Size>::new(&state.store);
    let projects = Records::<Project>::new(&state.store);
    let partitions = Records::<Partition>::new(&state.store);
    let mut retry = Retry::new(operation);
    loop {
        let watch = Watch::<SizeReservation>::new(&state.store).await?;
        let mut batch = Batch::new(Scope::Global);
        match old {
            Some(old) => batch.replace(old, new)?,
            None => batch.insert(new)?,
        };
        batch.require(&sizes.get(new.size.as_str()).await?)?;
        batch.require(&projects.get(new.project.as_str()).await?)?;
        let named = new.partitions.iter().map(|id| partitions.get(id.as_str()));
        for partition in try_join_all(named).await? {
            batch.require(&partition)?;
        }
        watch.change(&mut batch)?;
        match commit(&state.store, batch).await {
            Ok(_) => return Ok(()),
            Err(Error::Conflict(conflict)) if conflict == key => {
                return Err(match old {
                    Some(_) => changed::<SizeReservation>(id),
                    None => exists::<SizeReservation>(id),
                });
            }
            Err(Error::Conflict(conflict)) => retry.after(&conflict).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// That no reservation refers to a record, for the batch that deletes it.
pub(in crate::api) struct Unreserved(Watch<SizeReservation>);

// === impl Unreserved ===

impl Unreserved {
    /// Looks at the reservations that `filter` finds and `refers` means.
    ///
    /// # Errors
    /// What `refuse` makes of their names.
    pub async fn check(
        state: &ApiState,
        filter: Filter,
        refers: impl Fn(&SizeReservation) -> bool,
        refuse: impl FnOnce(String) -> ApiError,
    ) -> Result<Self, ApiError> {
        let watch = Watch::new(&state.store).await?;
        let mut found = reservations(state).list(filter).await?;
        found.retain(refers);
        if found.is_empty() {
            return Ok(Self(watch));
        }
        let ids = found.iter().map(|found| format!("{:?}", found.id.as_str()));
        let mut names = ids.take(NAMED).collect::<Vec<_>>().join(", ");
        if found.len() > NAMED {
            names += &format!(" and {} more", found.len() - NAMED);
        }
        Err(refuse(format!("size reservations {names}")))
    }

    /// Requires that it still holds.
    pub fn require(&self, batch: &mut Batch) -> Result<(), ApiError> {
        Ok(self.0.require(batch)?)
    }
}
