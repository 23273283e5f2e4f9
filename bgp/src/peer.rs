//! One peer: connecting, holding the session, trying again.

mod backoff;
mod connect;
mod drive;
mod local;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time;

use crate::PeerState;
use crate::keeper::Wanted;
use crate::session::{End, Machine, Terms};
use crate::status::Board;
use backoff::Backoff;

/// A session that held for so long was a good one: the next attempts start early again.
const GOOD_SESSION: Duration = Duration::from_secs(5);

/// What the operator wants of the sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// Hold them.
    #[default]
    Open,
    /// Close them with this message, and keep them closed.
    Close(Arc<str>),
    /// Close them and end.
    Stop,
}

/// The latest order and its number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    pub(crate) number: u64,
    pub(crate) order: Order,
}

/// Everything that the task of one peer needs.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) position: usize,
    pub(crate) terms: Arc<Terms>,
    pub(crate) wanted: watch::Receiver<Wanted>,
    pub(crate) orders: watch::Receiver<Orders>,
    pub(crate) board: Board,
}

/// Runs `peer` until it is told to stop, and starts it anew if it panics: a fault in one session
/// never reaches the others.
pub(crate) async fn supervise(peer: Peer) {
    while let Err(error) = tokio::spawn(peer.clone().run()).await {
        let address = peer.terms.peer.address;
        tracing::error!(peer = %address, %error, "session task failed");
        let now = time::Instant::now().into_std();
        let sentence = "an internal fault ended the session; see the log".to_owned();
        peer.board.fail(peer.position, now, sentence);
        peer.show(PeerState::Idle);
        time::sleep(Duration::from_secs(1)).await;
    }
}

/// Waits for the order to stop.
pub(crate) async fn until_stopped(mut orders: watch::Receiver<Orders>) {
    // An error means that the speaker is gone, which is the same.
    let _ = orders.wait_for(|orders| orders.order == Order::Stop).await;
}

// === impl Order ===

impl Order {
    /// The text for the peers, if the sessions are to be closed.
    fn message(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Close(message) => Some(message),
            Self::Stop => Some("speaker stopped"),
        }
    }
}

// === impl Peer ===

impl Peer {
    async fn run(mut self) {
        let mut backoff = Backoff::new(&self.terms.peer);
        loop {
            let Orders { number, order } = self.orders.borrow_and_update().clone();
            if order != Order::Open {
                self.show(PeerState::Idle);
            }
            self.board.carried_out(self.position, number);
            match order {
                Order::Stop => return,
                Order::Close(_) => {
                    if self.orders.changed().await.is_err() {
                        return;
                    }
                    backoff.reset();
                    continue;
                }
                Order::Open => {}
            }
            if self.attempt(&mut backoff).await {
                tokio::select! {
                    () = time::sleep(backoff.next()) => {}
                    _ = self.orders.changed() => {}
                }
            }
        }
    }

    /// One connection attempt and the session that comes of it. Says whether to wait before the
    /// next.
    async fn attempt(&mut self, backoff: &mut Backoff) -> bool {
        self.show(PeerState::Connect);
        let mut counters = self.board.counters(self.position);
        counters.connects += 1;
        self.board.count(self.position, counters);
        let mut orders = self.orders.clone();
        let connected = tokio::select! {
            connected = connect::connect(&self.terms) => connected,
            _ = orders.changed() => return false,
        };
        let (stream, local) = match connected {
            Ok(connected) => connected,
            Err(sentence) => {
                self.lost(sentence, PeerState::Active, false);
                return true;
            }
        };
        let now = time::Instant::now().into_std();
        self.board.update(self.position, now, |status| {
            status.local_address = Some(local);
        });
        let wanted = self.wanted.borrow_and_update().clone();
        let candidates = local::candidates(local);
        let machine =
            Machine::connected(now, Arc::clone(&self.terms), candidates, wanted, counters);
        let (end, established) = drive::drive(self, stream, machine).await;
        if established.is_some_and(|at| at.elapsed() >= GOOD_SESSION) {
            backoff.reset();
        }
        match end {
            End::Stopped => false,
            End::Lost(sentence) => {
                self.lost(sentence, PeerState::Idle, established.is_some());
                true
            }
        }
    }

    fn local_address(&self) -> Option<IpAddr> {
        self.board.local_address(self.position)
    }

    /// Shows a state in which there is no session.
    fn show(&self, state: PeerState) {
        let now = time::Instant::now().into_std();
        self.board.update(self.position, now, |status| {
            status.state = state;
            status.local_address = None;
            status.remote_asn = None;
            status.router_id = None;
            status.hold_time_seconds = None;
            status.announced.clear();
            status.not_announced = None;
        });
    }

    /// Shows why there is no session; warns in the log when that is news.
    fn lost(&self, sentence: String, state: PeerState, was_established: bool) {
        let address = self.terms.peer.address;
        if was_established || self.board.is_news(self.position, &sentence) {
            tracing::warn!(peer = %address, reason = %sentence, "no session");
        } else {
            tracing::debug!(peer = %address, reason = %sentence, "still no session");
        }
        let now = time::Instant::now().into_std();
        self.show(state);
        self.board.fail(self.position, now, sentence);
    }
}
