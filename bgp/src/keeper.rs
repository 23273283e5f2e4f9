//! Keeps an announcement alive for as long as somebody renews it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::time;

use crate::status::Board;
use crate::{Announcement, AnnouncementState};

/// An announcement and the moment at which it ends unless it is renewed.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) announcement: Arc<Announcement>,
    pub(crate) valid_until: Instant,
}

// === impl Lease ===

impl Lease {
    /// Until `valid_until`; the same announcement again only moves that moment.
    pub(crate) fn renew(
        leases: &watch::Sender<Option<Self>>,
        announcement: Announcement,
        valid_until: Instant,
    ) {
        leases.send_modify(|lease| match lease {
            Some(lease) if *lease.announcement == announcement => lease.valid_until = valid_until,
            _ => {
                *lease = Some(Self {
                    announcement: Arc::new(announcement),
                    valid_until,
                });
            }
        });
    }
}

/// What the peers are to be told now. Changes only when they would see a difference.
pub(crate) type Wanted = Option<Arc<Announcement>>;

/// Turns leases into what is wanted: the only place where an announcement ends by time. Runs
/// until the sender of the leases is gone.
pub(crate) async fn keep(
    mut leases: watch::Receiver<Option<Lease>>,
    wanted: watch::Sender<Wanted>,
    board: Board,
) {
    loop {
        let lease = leases.borrow_and_update().clone();
        let now = time::Instant::now().into_std();
        let lease = match lease {
            Some(lease) if lease.valid_until > now => Ok(lease),
            Some(_) if wanted.borrow().is_some() => Err(AnnouncementState::Expired),
            // Late from the start: nothing was announced, so nothing expired.
            Some(_) => Err(board.announcement_state()),
            None => Err(AnnouncementState::Withdrawn),
        };
        let ended = match lease {
            Ok(lease) => {
                publish(&wanted, Some(&lease.announcement));
                let shown = (&*lease.announcement, lease.valid_until);
                board.set_announcement(AnnouncementState::Announced, Some(shown));
                tokio::select! {
                    changed = leases.changed() => changed.is_err(),
                    () = time::sleep_until(lease.valid_until.into()) => false,
                }
            }
            Err(state) => {
                if publish(&wanted, None) && state == AnnouncementState::Expired {
                    tracing::warn!("announcement expired: nobody renewed it");
                }
                board.set_announcement(state, None);
                leases.changed().await.is_err()
            }
        };
        if ended {
            return;
        }
    }
}

/// Hands on what is wanted if it differs; says whether it did.
fn publish(wanted: &watch::Sender<Wanted>, new: Option<&Arc<Announcement>>) -> bool {
    wanted.send_if_modified(|old| {
        let differs = old.as_deref() != new.map(|new| &**new);
        if differs {
            *old = new.cloned();
        }
        differs
    })
}

#[cfg(test)]
mod tests;
