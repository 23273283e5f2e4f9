//! Changing networks.

use axum::Json;
use axum::extract::State;

use super::super::extract::{JsonOf, QueryOf};
use super::super::records::unchanged;
use super::super::wire::{Texts, set};
use super::super::{ApiError, ApiState};
use super::answer;
use super::wire::{NetworkResponse, NetworkUpdateRequest, UpdateQuery};
use crate::clock;
use crate::domain::{Network, Prefixes};

/// Changes what is given. Prefixes can be added, and removed while nothing of them is used.
pub(super) async fn update(
    State(state): State<ApiState>,
    QueryOf(query): QueryOf<UpdateQuery>,
    JsonOf(body): JsonOf<NetworkUpdateRequest>,
) -> Result<Json<NetworkResponse>, ApiError> {
    let id = body.id.clone().unwrap_or_default();
    let space = &state.space;
    let (scope, old) = space.network_now(&id).await?;
    unchanged::<Network>(&id, old.value.times, body.changed)?;
    let new = changed(&old.value, body, query.force.unwrap_or_default())?;
    space.change_network(&scope, &old, &new).await?;
    answer(space, &scope, new).await
}

fn changed(old: &Network, body: NetworkUpdateRequest, force: bool) -> Result<Network, ApiError> {
    let mut new = old.clone();
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(&mut new.labels, body.labels.map(Texts::into_map));
    if let Some(shared) = body.shared {
        if old.shared && !shared {
            return Err(ApiError::bad_request(
                "once a network is marked as shared it is not possible to unshare it",
            ));
        }
        new.shared = shared;
    }
    if let Some(prefixes) = body.prefixes {
        new.prefixes = Prefixes::parse("prefixes", &prefixes)?;
    }
    if let Some(destinations) = body.destinationprefixes {
        new.destinations = Network::other_prefixes("destinationprefixes", &destinations)?;
    }
    if let Some(announcable) = body.additional_announcable_cidrs {
        new.announcable = Network::other_prefixes("additionalAnnouncableCIDRs", &announcable)?;
        let removed = old
            .announcable
            .iter()
            .find(|old| !new.announcable.contains(old));
        if let Some(removed) = removed.filter(|_| !force) {
            return Err(ApiError::bad_request(format!(
                "additionalAnnouncableCIDRs: {removed} may be in use, removing it needs force"
            )));
        }
    }
    if let Some(lengths) = body.defaultchildprefixlength {
        new.child_lengths = Network::child_lengths("defaultchildprefixlength", &lengths)?;
    }
    new.times = old.times.touched(clock::wall());
    new.check()?;
    if old.parent.is_some() && old.prefixes != new.prefixes {
        return Err(ApiError::bad_request(
            "prefixes: those of a part of a super network cannot be changed",
        ));
    }
    Ok(new)
}
