//! One peer: connecting, holding the session, trying again.

mod backoff;
mod connect;
mod door;
mod drive;
mod link;
mod local;
mod path;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustbgpd_wire::notification::cease_subcode;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time;

pub(crate) use door::Door;
pub(crate) use path::Path;

use crate::keeper::Wanted;
use crate::session::{End, Machine, Origin, Table, Terms};
use crate::socket::dress;
use crate::status::{Board, PeerId};
use crate::{LogEvent, PeerState};
use backoff::{Backoff, Wait};
use drive::Drive;
use link::{Link, now};

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

/// What is configured about one peer.
#[derive(Debug, Clone)]
pub(crate) enum Brief {
    /// Hold a session on these terms.
    Hold(Arc<Terms>),
    /// It is a peer no longer.
    Gone,
}

/// What another [`Brief`] means to a session.
enum Change {
    None,
    /// The session goes on, on new terms.
    Soft,
    /// The session ends with this subcode of Cease (RFC 4486).
    Reset(u8),
}

/// Everything that the task of one peer needs.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) terms: Arc<Terms>,
    pub(crate) brief: watch::Receiver<Brief>,
    pub(crate) wanted: watch::Receiver<Wanted>,
    pub(crate) orders: watch::Receiver<Orders>,
    pub(crate) door: Door,
    pub(crate) board: Board,
    pub(crate) path: Path,
}

/// Runs `peer` until it is told to stop, and starts it anew if it panics: a fault in one session
/// never reaches the others.
pub(crate) async fn supervise(peer: Peer) {
    while let Err(error) = tokio::spawn(peer.clone().run()).await {
        let name = peer.terms.peer.name();
        tracing::error!(peer = %name, %error, "session task failed");
        let sentence = "an internal fault ended the session; see the log".to_owned();
        peer.board.fail(peer.id, now(), sentence);
        peer.show(PeerState::Idle);
        time::sleep(Duration::from_secs(1)).await;
    }
    peer.door.close();
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
        let mut backoff = Backoff::default();
        loop {
            self.take_change();
            if self.is_gone() {
                return;
            }
            let Orders { number, order } = self.orders.borrow_and_update().clone();
            if order == Order::Open {
                self.door.open();
            } else {
                self.door.close();
                self.show(PeerState::Idle);
            }
            self.board.carried_out(self.id, number);
            match order {
                Order::Stop => return,
                Order::Close(_) => {
                    self.something_new().await;
                    backoff = Backoff::default();
                    continue;
                }
                Order::Open => {}
            }
            let wait = self.attempt(&mut backoff).await;
            let pause = time::sleep(backoff.next(&self.terms.peer, wait));
            let mut path = self.path.clone();
            tokio::select! {
                () = pause => {}
                () = path.changed() => backoff = Backoff::default(),
                () = self.something_new() => {}
                () = self.door.knocked(), if wait == Wait::Connection => {}
            }
        }
    }

    /// One connection and the session that comes of it. Says what to wait for before the next.
    async fn attempt(&mut self, backoff: &mut Backoff) -> Wait {
        let target = match self.path.target(&self.terms.peer) {
            Ok(target) => target,
            Err(sentence) => {
                self.lost(sentence, PeerState::Idle, false);
                return Wait::Time;
            }
        };
        let link = match self.connection(target).await {
            Ok(Some(link)) => link,
            Ok(None) => return Wait::Nothing,
            Err(sentence) => {
                self.lost(sentence, PeerState::Active, false);
                return Wait::Connection;
            }
        };
        let (end, established) = Drive::new(self, target, link).run().await;
        if established.is_some_and(|at| at.elapsed() >= GOOD_SESSION) {
            *backoff = Backoff::default();
        }
        match end {
            End::Stopped => Wait::Nothing,
            End::Lost(sentence) => {
                self.lost(sentence, PeerState::Idle, established.is_some());
                Wait::Time
            }
        }
    }

    /// A connection with the peer, whoever makes it first; none if something else is wanted
    /// meanwhile.
    async fn connection(&mut self, target: SocketAddr) -> Result<Option<Link>, String> {
        let door = self.door.clone();
        let terms = Arc::clone(&self.terms);
        let connected = async {
            if terms.peer.passive {
                return std::future::pending().await;
            }
            self.board
                .count_one(self.id, |counters| &mut counters.connects);
            connect::connect(&terms, target).await
        };
        self.show(match terms.peer.passive {
            true => PeerState::Active,
            false => PeerState::Connect,
        });
        let (mut orders, mut brief) = (self.orders.clone(), self.brief.clone());
        let mut path = self.path.clone();
        // A connection of our own that is made already comes first: the peer counts on it.
        let (stream, origin) = tokio::select! {
            biased;
            connected = connected => (connected?, Origin::Us),
            stream = door.next() => (stream, Origin::Peer),
            _ = orders.changed() => return Ok(None),
            Ok(()) = brief.changed() => return Ok(None),
            () = path.changed() => return Ok(None),
        };
        self.board
            .update(self.id, now(), |status| status.address = Some(target.ip()));
        Ok(match origin {
            Origin::Us => self.link(stream, origin),
            Origin::Peer => self.accepted(stream),
        })
    }

    /// The session on a connection that the peer has made; none if it is gone already.
    fn accepted(&self, stream: TcpStream) -> Option<Link> {
        self.board
            .count_one(self.id, |counters| &mut counters.accepts);
        dress(&stream, &self.terms, stream.local_addr().ok()?.is_ipv6()).ok()?;
        self.link(stream, Origin::Peer)
    }

    fn link(&self, stream: TcpStream, origin: Origin) -> Option<Link> {
        let local = stream.local_addr().ok()?.ip();
        let wanted = self.wanted.borrow().clone();
        let candidates = local::candidates(local.to_canonical());
        let machine = Machine::connected(now(), Arc::clone(&self.terms), candidates, wanted);
        Some(Link::new(stream, origin, machine))
    }

    /// Waits for another order or brief.
    async fn something_new(&self) {
        let (mut orders, mut brief) = (self.orders.clone(), self.brief.clone());
        tokio::select! {
            _ = orders.changed() => {}
            Ok(()) = brief.changed() => {}
        }
    }

    fn is_gone(&self) -> bool {
        matches!(*self.brief.borrow(), Brief::Gone)
    }

    /// Takes over what is configured now.
    fn take_change(&mut self) -> Change {
        let new = match &*self.brief.borrow_and_update() {
            Brief::Gone => return Change::Reset(cease_subcode::PEER_DECONFIGURED),
            Brief::Hold(terms) => Arc::clone(terms),
        };
        let old = std::mem::replace(&mut self.terms, new);
        match () {
            () if *old == *self.terms => Change::None,
            () if old.survives(&self.terms) => Change::Soft,
            () => Change::Reset(cease_subcode::OTHER_CONFIGURATION_CHANGE),
        }
    }

    /// Shows a state in which there is no session.
    fn show(&self, state: PeerState) {
        self.board.told(self.id, &Table::new());
        let mut before = state;
        self.board.update(self.id, now(), |status| {
            before = status.state;
            status.state = state;
            status.local_address = None;
            status.remote_asn = None;
            status.router_id = None;
            status.hold_time_seconds = None;
            status.announced.clear();
            status.not_announced = None;
        });
        if before != state {
            let event = LogEvent::State { before, state };
            self.board.log(self.id, now(), vec![event]);
        }
    }

    /// Shows why there is no session; warns in the log when that is news.
    fn lost(&self, sentence: String, state: PeerState, was_established: bool) {
        let name = self.terms.peer.name();
        if was_established || self.board.is_news(self.id, &sentence) {
            let reason = sentence.clone();
            self.board
                .log(self.id, now(), vec![LogEvent::Lost { reason }]);
            tracing::warn!(peer = %name, reason = %sentence, "no session");
        } else {
            tracing::debug!(peer = %name, reason = %sentence, "still no session");
        }
        self.show(state);
        self.board.fail(self.id, now(), sentence);
    }
}
