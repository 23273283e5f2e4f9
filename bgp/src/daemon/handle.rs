use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tokio::runtime;
use tokio::sync::watch;

use super::client::Client;
use super::config::{DaemonAddress, DaemonConfig};
use super::driver::{Driver, Installed, mend};
use super::peers::Neighbour;
use crate::keeper::{self, Lease};
use crate::status::{Board, DaemonStatus};
use crate::{
    Announcement, Asn, PeerAs, PeerState, PeerStatus, SpeakerConfig, SpeakerStatus, StartError,
};

/// How long dropping it waits for the withdrawal.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Announces through an external daemon, as a [`Speaker`](crate::Speaker) does with sessions of
/// its own: what nobody renews is withdrawn, and dropping it withdraws.
///
/// A daemon keeps what it was told when we are killed. So whoever starts us again must do so at
/// once (the first thing a new one does is to delete what it finds), or call [`withdraw_all`].
#[derive(Debug)]
pub struct Daemon {
    leases: watch::Sender<Option<Lease>>,
    orders: watch::Sender<Order>,
    prefixes: watch::Sender<Vec<IpNet>>,
    board: Board,
    sheet: Arc<Sheet>,
    stopped: Mutex<Receiver<()>>,
}

/// What the operator wants, with the number of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Open(u64),
    Close(u64),
    Stop,
}

/// What is known of the daemon.
#[derive(Debug)]
pub(super) struct Sheet {
    known: Mutex<Known>,
    ticks: watch::Sender<u64>,
}

#[derive(Debug)]
struct Known {
    link: DaemonStatus,
    asn: Option<Asn>,
    router_id: Option<Ipv4Addr>,
    peers: Vec<(Neighbour, Instant)>,
    prefixes: Vec<IpNet>,
    carried_out: u64,
}

// === impl Daemon ===

impl Daemon {
    /// Starts a thread that connects to the daemon. Nothing is announced yet, and whatever is in
    /// the daemon at one of our prefixes is deleted.
    ///
    /// # Errors
    ///
    /// `own` is wrong, or no thread is to be had. A daemon that cannot be reached is no error:
    /// it shows in [`Daemon::status`]. `own.peers` is not used: the daemon has its own.
    pub fn start(own: SpeakerConfig, config: DaemonConfig) -> Result<Self, StartError> {
        own.validate()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let own = SpeakerConfig::new(own.asn, own.router_id);
        let asn = own.asn;
        let board = Board::new(&own);
        let (leases, lease_receiver) = watch::channel(None);
        let (orders, order_receiver) = watch::channel(Order::Open(0));
        let (prefixes, prefix_receiver) = watch::channel(config.prefixes.clone());
        let (done, stopped) = sync_channel::<()>(1);
        let sheet = Arc::new(Sheet::new(&config));
        let (for_board, for_thread) = (board.clone(), Arc::clone(&sheet));
        std::thread::Builder::new()
            .name("metal-bgp".to_owned())
            .spawn(move || {
                let _ended = Ended(for_board.clone(), Arc::clone(&for_thread), done);
                let (wanted, wanted_receiver) = watch::channel(None);
                runtime.block_on(async {
                    let keeper = tokio::spawn(keeper::keep(lease_receiver, wanted, for_board));
                    let sheet = for_thread;
                    Driver::new(
                        asn,
                        config,
                        wanted_receiver,
                        order_receiver,
                        prefix_receiver,
                        sheet,
                    )
                    .run()
                    .await;
                    keeper.abort();
                });
            })?;
        Ok(Self {
            leases,
            orders,
            prefixes,
            board,
            sheet,
            stopped: Mutex::new(stopped),
        })
    }

    /// As [`Speaker::announce`](crate::Speaker::announce).
    pub fn announce(&self, announcement: Announcement, valid_until: Instant) {
        Lease::renew(&self.leases, announcement, valid_until);
    }

    /// As [`Speaker::withdraw`](crate::Speaker::withdraw).
    pub fn withdraw(&self) {
        self.leases.send_replace(None);
    }

    /// Other prefixes are ours from now on: what is in the daemon at one of them and is not
    /// announced is deleted within about a second, and so is what we had put at those of before.
    pub fn set_prefixes(&self, prefixes: Vec<IpNet>) {
        self.prefixes.send_replace(prefixes);
    }

    /// The daemon and its neighbours, as they were seen within the last second.
    pub fn status(&self) -> SpeakerStatus {
        let mut status = self.board.read(Instant::now());
        self.sheet.fill(&mut status, Instant::now());
        status
    }

    /// A number that changes whenever the status does, to wait for.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.sheet.ticks.subscribe()
    }

    /// Withdraws, and keeps withdrawn until [`Daemon::open`]; the daemon's sessions stay, since
    /// others may use them. The future is ready when the daemon has confirmed, or after about
    /// three seconds.
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let number = self.order(Order::Close);
        self.board.set_open(false);
        let sheet = Arc::clone(&self.sheet);
        async move {
            let mut ticks = sheet.ticks.subscribe();
            while !sheet.has_carried_out(number) {
                if ticks.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// Announces again after [`Daemon::close`] what is still valid.
    pub fn open(&self) {
        self.order(Order::Open);
        self.board.set_open(true);
    }

    fn order(&self, order: fn(u64) -> Order) -> u64 {
        let mut number = 0;
        self.orders.send_modify(|last| {
            number = last.number() + 1;
            *last = order(number);
        });
        number
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.orders.send_replace(Order::Stop);
        let stopped = self
            .stopped
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // Either way nothing is left to do: it stopped, or it hangs and the process goes on.
        let _ = stopped.recv_timeout(STOP_WAIT);
    }
}

/// What a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DaemonFacts {
    /// Which API it speaks, in words.
    pub api: &'static str,
    /// Its AS.
    pub asn: u32,
    /// How many of its neighbours have an established session.
    pub established: usize,
}

/// Asks a daemon what it is; changes nothing there.
///
/// # Errors
///
/// One sentence on why it could not be asked.
pub async fn ask(address: &DaemonAddress) -> Result<DaemonFacts, String> {
    let connected = Client::connect(address).await;
    let mut client = connected.map_err(|fault| fault.to_string())?;
    let peers = client.peers().await.map_err(|fault| fault.to_string())?;
    let neighbours = peers.into_iter().filter_map(Neighbour::of);
    let established = neighbours.filter(|one| one.state == PeerState::Established);
    Ok(DaemonFacts {
        api: client.api().as_str(),
        asn: client.asn,
        established: established.count(),
    })
}

/// Deletes from the daemon every path to one of `config.prefixes` that was put in over its API:
/// for whoever watches a process that announced and was killed. Returns what was deleted.
///
/// # Errors
///
/// One sentence on why it could not be done.
pub async fn withdraw_all(config: &DaemonConfig) -> Result<Vec<IpNet>, String> {
    let connected = Client::connect(&config.address).await;
    let mut client = connected.map_err(|fault| fault.to_string())?;
    let asn = Asn::try_from(client.asn).map_err(|error| error.to_string())?;
    let maker = config.maker(asn);
    let (none, all) = (BTreeMap::new(), config.prefixes.clone());
    let mended = mend(&mut client, &maker, &mut Installed::new(), &none, all).await;
    mended.map_err(|fault| fault.to_string())
}

// === impl Order ===

impl Order {
    const fn number(self) -> u64 {
        match self {
            Self::Open(number) | Self::Close(number) => number,
            Self::Stop => u64::MAX,
        }
    }
}

// === impl Sheet ===

impl Sheet {
    fn new(config: &DaemonConfig) -> Self {
        Self {
            known: Mutex::new(Known {
                link: DaemonStatus {
                    address: config.address.to_string(),
                    api: None,
                    last_error: None,
                },
                asn: None,
                router_id: None,
                peers: Vec::new(),
                prefixes: Vec::new(),
                carried_out: 0,
            }),
            ticks: watch::Sender::new(0),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        self.ticks.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// Notes what the daemon has.
    pub(super) fn connected(&self, client: &Client, peers: Vec<Neighbour>, prefixes: Vec<IpNet>) {
        {
            let mut known = self.known();
            known.link.api = Some(client.api().as_str().to_owned());
            known.link.last_error = None;
            known.asn = Asn::try_from(client.asn).ok();
            known.router_id = client.router_id;
            let now = Instant::now();
            let before = std::mem::take(&mut known.peers);
            let since = |peer: &Neighbour| {
                let same = |(old, _): &&(Neighbour, Instant)| {
                    old.address == peer.address && old.state == peer.state
                };
                before.iter().find(same).map_or(now, |(_, since)| *since)
            };
            known.peers = peers
                .into_iter()
                .map(|peer| (peer.clone(), since(&peer)))
                .collect();
            known.prefixes = prefixes;
        }
        self.tick();
    }

    /// Notes that the daemon could not be brought to what is wanted; whether that is news.
    pub(super) fn failed(&self, sentence: &str) -> bool {
        let news = {
            let mut known = self.known();
            known.link.api = None;
            known.peers.clear();
            known.prefixes.clear();
            let news = known.link.last_error.as_deref() != Some(sentence);
            known.link.last_error = Some(sentence.to_owned());
            news
        };
        self.tick();
        news
    }

    pub(super) fn carried_out(&self, order: Order) {
        self.known().carried_out = order.number();
        self.tick();
    }

    fn has_carried_out(&self, number: u64) -> bool {
        self.known().carried_out >= number
    }

    fn nothing_runs(&self) {
        self.known().carried_out = u64::MAX;
        self.tick();
    }

    fn fill(&self, status: &mut SpeakerStatus, now: Instant) {
        let known = self.known();
        status.asn = known.asn.unwrap_or(status.asn);
        status.router_id = known.router_id.unwrap_or(status.router_id);
        status.daemon = Some(known.link.clone());
        let peer = |(peer, since): &(Neighbour, Instant)| {
            let announced = match peer.state {
                PeerState::Established => known.prefixes.clone(),
                _ => Vec::new(),
            };
            let seconds = now.saturating_duration_since(*since).as_secs();
            let mut shown = PeerStatus::idle(
                peer.address.to_string(),
                Some(peer.address),
                179,
                PeerAs::Exactly(peer.asn),
            );
            shown.state = peer.state;
            shown.since_seconds = seconds;
            shown.router_id = peer.router_id;
            shown.announced = announced;
            shown
        };
        status.peers = known.peers.iter().map(peer).collect();
    }
}

/// Frees everybody who waits for the thread, however it ended.
struct Ended(
    Board,
    Arc<Sheet>,
    #[expect(dead_code, reason = "closes when dropped")] SyncSender<()>,
);

// === impl Ended ===

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.nothing_runs();
        self.1.nothing_runs();
    }
}
