//! The handle that a service holds.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::watch;

use crate::bmp::Stations;
use crate::crew::Crew;
use crate::keeper::{self, Lease};
use crate::peer::{self, Order, Orders};
use crate::plan::Plan;
use crate::status::Board;
use crate::{Announcement, PeerLog, PeerRoutes, SpeakerConfig, SpeakerStatus, StartError};

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
    plans: watch::Sender<Arc<Plan>>,
    leases: watch::Sender<Option<Lease>>,
    orders: watch::Sender<Orders>,
    board: Board,
    stopped: Mutex<Receiver<()>>,
}

// === impl Speaker ===

impl Speaker {
    /// Starts connecting to every peer, and listening. Nothing is announced yet.
    ///
    /// # Errors
    ///
    /// A wrong configuration, an address that cannot be listened on, or no thread to be had;
    /// nothing is running then. A peer that cannot be reached is no error: it shows in
    /// [`Speaker::status`].
    pub fn start(config: SpeakerConfig) -> Result<Self, StartError> {
        let plan = Arc::new(Plan::new(config, None)?);
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let board = Board::new(&plan.config);
        board.arrange(Instant::now(), &plan);
        let (plans, plan_receiver) = watch::channel(plan);
        let (leases, lease_receiver) = watch::channel(None);
        let (orders, order_receiver) = watch::channel(Orders::default());
        let (done, stopped) = sync_channel::<()>(1);
        let for_thread = board.clone();
        std::thread::Builder::new()
            .name("metal-bgp".to_owned())
            .spawn(move || {
                let _ended = Ended(for_thread.clone(), done);
                runtime.block_on(run(
                    plan_receiver,
                    lease_receiver,
                    order_receiver,
                    for_thread,
                ));
            })?;
        Ok(Self {
            plans,
            leases,
            orders,
            board,
            stopped: Mutex::new(stopped),
        })
    }

    /// Goes on under another configuration. A peer is the same one if its name in the status and
    /// its port are. Its session stays untouched unless something changed that the session was
    /// made with (an AS number, the router id, the hold time, an option of its socket): then it is closed with Cease/Other Configuration
    /// Change and made anew. The session of a peer that is gone is closed with Cease/Peer
    /// De-configured (RFC 4486). What is announced stays announced.
    ///
    /// # Errors
    ///
    /// A wrong configuration, or an address that cannot be listened on; nothing has changed then.
    pub fn reconfigure(&self, config: SpeakerConfig) -> Result<(), StartError> {
        let mut result = Ok(());
        self.plans.send_if_modified(|current| {
            let new = match Plan::new(config, Some(current)) {
                Ok(new) => Arc::new(new),
                Err(error) => {
                    result = Err(error);
                    return false;
                }
            };
            let differs = new.config != current.config;
            if differs {
                self.board.arrange(Instant::now(), &new);
                *current = new;
            }
            differs
        });
        result
    }

    /// The addresses that connections are accepted on, in the order of the configuration, with
    /// the ports that the kernel chose.
    pub fn listening(&self) -> Vec<SocketAddr> {
        let plan = self.plans.borrow();
        let addresses = plan.listeners.iter();
        addresses.filter_map(|l| l.local_addr().ok()).collect()
    }

    /// Announces until `valid_until`, and withdraws then unless called again. The same
    /// announcement again only moves that moment and sends nothing; another one replaces it, and
    /// peers are sent exactly the difference.
    pub fn announce(&self, announcement: Announcement, valid_until: Instant) {
        Lease::renew(&self.leases, announcement, valid_until);
    }

    /// Withdraws everything; the sessions stay.
    pub fn withdraw(&self) {
        self.leases.send_replace(None);
    }

    /// The speaker and its peers as of now. Cheap: copies a few hundred bytes per peer.
    pub fn status(&self) -> SpeakerStatus {
        self.board.read(Instant::now())
    }

    /// What every peer was told, with the attributes that it sees; in the order of the
    /// configuration. Linear in the number of prefixes times peers.
    pub fn routes(&self) -> Vec<PeerRoutes> {
        self.board.routes()
    }

    /// What happened with every peer lately, in the order of the configuration; at most
    /// [`LOG_LENGTH`](crate::LOG_LENGTH) events of each. A peer that is removed takes its log
    /// along.
    pub fn logs(&self) -> Vec<PeerLog> {
        self.board.logs(Instant::now())
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
    mut plans: watch::Receiver<Arc<Plan>>,
    leases: watch::Receiver<Option<Lease>>,
    orders: watch::Receiver<Orders>,
    board: Board,
) {
    let (wanted, wanted_receiver) = watch::channel(None);
    let mut stations = Stations::new(board.clone());
    let mut crew = Crew::new(wanted_receiver, orders.clone(), board.clone());
    let keeper = tokio::spawn(keeper::keep(leases, wanted, board));
    let stopped = peer::until_stopped(orders);
    tokio::pin!(stopped);
    loop {
        let plan = Arc::clone(&plans.borrow_and_update());
        crew.follow(&plan);
        stations.follow(&plan.config);
        tokio::select! {
            () = &mut stopped => break,
            Ok(()) = plans.changed() => {}
        }
    }
    crew.ended().await;
    keeper.abort();
}
