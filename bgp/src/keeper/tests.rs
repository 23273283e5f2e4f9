//! Announcements begin, are renewed and end.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;
use crate::{Attributes, SpeakerConfig, SpeakerStatus};

const PATIENCE: Duration = Duration::from_secs(10);

struct Kept {
    leases: watch::Sender<Option<Lease>>,
    wanted: watch::Receiver<Wanted>,
    board: Board,
}

fn start() -> Kept {
    let config = SpeakerConfig::new(65_001.try_into().unwrap(), Ipv4Addr::new(10, 0, 0, 1));
    let board = Board::new(&config);
    let (leases, receiver) = watch::channel(None);
    let (sender, wanted) = watch::channel(None);
    tokio::spawn(keep(receiver, sender, board.clone()));
    Kept {
        leases,
        wanted,
        board,
    }
}

fn announcement(med: u32) -> Arc<Announcement> {
    let prefix = "192.0.2.1/32".parse().unwrap();
    Arc::new(Announcement::new([prefix], Attributes::default().with_med(med)).unwrap())
}

// === impl Kept ===

impl Kept {
    fn lease(&self, med: u32, valid: Duration) -> Instant {
        let valid_until = Instant::now() + valid;
        self.leases.send_replace(Some(Lease {
            announcement: announcement(med),
            valid_until,
        }));
        valid_until
    }

    async fn until(&self, what: impl Fn(&SpeakerStatus) -> bool) -> SpeakerStatus {
        let mut ticks = self.board.subscribe();
        let found = async {
            loop {
                let status = self.board.read(Instant::now());
                if what(&status) {
                    return status;
                }
                ticks.changed().await.unwrap();
            }
        };
        time::timeout(PATIENCE, found).await.unwrap()
    }
}

#[tokio::test]
async fn an_announcement_that_nobody_renews_ends_at_its_moment_and_says_so() {
    let kept = start();
    let until = kept.lease(1, Duration::from_millis(60));
    let status = kept
        .until(|s| s.state == AnnouncementState::Announced)
        .await;
    assert!(status.valid_for_ms.unwrap() <= 60);
    let status = kept.until(|s| s.state == AnnouncementState::Expired).await;
    assert!(Instant::now() >= until);
    assert_eq!(status.expirations, 1);
    assert_eq!(status.announcement, None);
    assert_eq!(*kept.wanted.borrow(), None);
}

#[tokio::test]
async fn a_renewal_moves_the_end_and_is_not_seen_by_the_peers() {
    let mut kept = start();
    let first_end = kept.lease(1, Duration::from_millis(200));
    kept.wanted.changed().await.unwrap();
    kept.wanted.mark_unchanged();
    kept.lease(1, Duration::from_secs(1000));
    time::sleep_until((first_end + Duration::from_millis(50)).into()).await;
    assert!(!kept.wanted.has_changed().unwrap());
    let status = kept.board.read(Instant::now());
    assert_eq!(status.state, AnnouncementState::Announced);
    assert_eq!(status.expirations, 0);
    assert!(status.valid_for_ms > Some(900_000));
    kept.lease(2, Duration::from_secs(1000));
    kept.wanted.changed().await.unwrap();
    assert_eq!(*kept.wanted.borrow(), Some(announcement(2)));
}

#[tokio::test]
async fn an_announcement_that_comes_too_late_is_never_made() {
    let kept = start();
    kept.leases.send_replace(Some(Lease {
        announcement: announcement(1),
        valid_until: Instant::now(),
    }));
    kept.lease(2, Duration::from_millis(30));
    let status = kept.until(|s| s.state == AnnouncementState::Expired).await;
    assert_eq!(status.expirations, 1, "only the second was announced");
}

#[tokio::test]
async fn a_withdrawal_is_no_expiry() {
    let kept = start();
    kept.lease(1, Duration::from_secs(1000));
    kept.until(|s| s.state == AnnouncementState::Announced)
        .await;
    kept.leases.send_replace(None);
    let status = kept
        .until(|s| s.state == AnnouncementState::Withdrawn)
        .await;
    assert_eq!(status.expirations, 0);
    assert_eq!(*kept.wanted.borrow(), None);
}
