//! The handle that a service holds.

use std::future::Future;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::keeper::{self, Lease};
use crate::peer::{self, Order, Orders};
use crate::status::Board;
use crate::{Announcement, SpeakerConfig, SpeakerStatus, StartError};

/// How long dropping a speaker waits for its Cease messages to reach the peers.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// A running speaker. It lives on a thread of its own with a runtime of its own, so that a
/// service that stalls cannot stall it; every method here only leaves a message there, and may be
/// called from any thread.
///
/// Dropping it sends Cease/Administrative Shutdown to every peer and stops the thread; that
/// blocks for at most two seconds.
#[derive(Debug)]
pub struct Speaker {
    leases: watch::Sender<Option<Lease>>,
    orders: watch::Sender<Orders>,
    board: Board,
    stopped: Mutex<Receiver<()>>,
}

// === impl Speaker ===

impl Speaker {
    /// Starts connecting to every peer. Nothing is announced yet.
    ///
    /// # Errors
    ///
    /// A wrong configuration, or no thread to be had; nothing is running then. A peer that cannot
    /// be reached is no error: it shows in [`Speaker::status`].
    pub fn start(config: SpeakerConfig) -> Result<Self, StartError> {
        config.validate()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let board = Board::new(&config, Instant::now());
        let (leases, lease_receiver) = watch::channel(None);
        let (orders, order_receiver) = watch::channel(Orders::default());
        let (done, stopped) = sync_channel::<()>(1);
        let for_thread = board.clone();
        std::thread::Builder::new()
            .name("metal-bgp".to_owned())
            .spawn(move || {
                let _ended = Ended(for_thread.clone(), done);
                runtime.block_on(run(config, lease_receiver, order_receiver, for_thread));
            })?;
        Ok(Self {
            leases,
            orders,
            board,
            stopped: Mutex::new(stopped),
        })
    }

    /// Announces until `valid_until`, and withdraws then unless called again. The same
    /// announcement again only moves that moment and sends nothing; another one replaces it, and
    /// peers are sent exactly the difference.
    pub fn announce(&self, announcement: Announcement, valid_until: Instant) {
        self.leases.send_modify(|lease| match lease {
            Some(lease) if *lease.announcement == announcement => lease.valid_until = valid_until,
            _ => {
                *lease = Some(Lease {
                    announcement: Arc::new(announcement),
                    valid_until,
                });
            }
        });
    }

    /// Withdraws everything; the sessions stay.
    pub fn withdraw(&self) {
        self.leases.send_replace(None);
    }

    /// The speaker and its peers as of now. Cheap: copies a few hundred bytes per peer.
    pub fn status(&self) -> SpeakerStatus {
        self.board.read(Instant::now())
    }

    /// A number that changes whenever the status does, to wait for. Counters and ages change
    /// without it.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.board.subscribe()
    }

    /// Closes every session with Cease/Administrative Shutdown and `message` (RFC 9003, cut to
    /// 128 bytes), and keeps them closed until [`Speaker::open`]. Happens whether or not the
    /// future is awaited; the future is ready when every peer has it or cannot be reached, after
    /// about a second at the most.
    pub fn close(&self, message: &str) -> impl Future<Output = ()> + Send + use<> {
        let order = self.order(Order::Close(message.into()));
        let board = self.board.clone();
        let mut ticks = board.subscribe();
        async move {
            while !board.all_carried_out(order) {
                if ticks.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// Lets the sessions come back after [`Speaker::close`]. What is announced and still valid
    /// is announced again.
    pub fn open(&self) {
        self.order(Order::Open);
    }

    fn order(&self, order: Order) -> u64 {
        self.board.set_open(matches!(order, Order::Open));
        let mut number = 0;
        self.orders.send_modify(|orders| {
            orders.number += 1;
            orders.order = order;
            number = orders.number;
        });
        number
    }
}

/// Frees everybody who waits for the speaker's thread, however it ended.
struct Ended(
    Board,
    #[expect(dead_code, reason = "closes when dropped")] SyncSender<()>,
);

// === impl Ended ===

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.nothing_runs();
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.order(Order::Stop);
        // Either way nothing is left to do: it stopped, or it hangs and the process goes on.
        let stopped = self
            .stopped
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let _ = stopped.recv_timeout(STOP_WAIT);
    }
}

/// The whole life of the speaker's thread.
async fn run(
    config: SpeakerConfig,
    leases: watch::Receiver<Option<Lease>>,
    orders: watch::Receiver<Orders>,
    board: Board,
) {
    let (wanted, wanted_receiver) = watch::channel(None);
    let mut peers = JoinSet::new();
    for (position, peer) in config.peers.iter().enumerate() {
        let peer = peer::Peer {
            position,
            terms: Arc::new(config.terms(peer)),
            wanted: wanted_receiver.clone(),
            orders: orders.clone(),
            board: board.clone(),
        };
        peers.spawn(peer::supervise(peer));
    }
    let keeper = tokio::spawn(keeper::keep(leases, wanted, board));
    while peers.join_next().await.is_some() {}
    if config.peers.is_empty() {
        peer::until_stopped(orders).await;
    }
    keeper.abort();
}
