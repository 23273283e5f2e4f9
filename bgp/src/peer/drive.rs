//! Moves bytes, time and wishes between a peer's sessions and everything around them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time;

use super::link::{Link, now};
use super::path::Obstacle;
use super::{Change, Peer, local};
use crate::PeerState;
use crate::session::{End, Machine, Which, loser};
use crate::status::Opened;

/// How often the addresses of the node are looked at while a next hop is missing: at boot IPv6
/// addresses come later than IPv4 ones.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A connection that is being closed.
type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The session of one peer; while two connections exist (RFC 4271 section 6.8), both.
pub(super) struct Drive<'p> {
    peer: &'p mut Peer,
    target: SocketAddr,
    first: Link,
    second: Option<Link>,
    leaving: Option<Leaving>,
    shown: Option<u64>,
    established: Option<Instant>,
    keeper_lives: bool,
}

// === impl Drive ===

impl<'p> Drive<'p> {
    pub(super) fn new(peer: &'p mut Peer, target: SocketAddr, first: Link) -> Self {
        Self {
            peer,
            target,
            first,
            second: None,
            leaving: None,
            shown: None,
            established: None,
            keeper_lives: true,
        }
    }

    /// Holds the session until it ends; says how, and since when it was established.
    pub(super) async fn run(mut self) -> (End, Option<Instant>) {
        let mut orders = self.peer.orders.clone();
        let mut look_again = time::interval(LOOK_AGAIN);
        let end = loop {
            self.settle();
            if let Some(end) = self.first.machine.end() {
                break end.clone();
            }
            // What makes the session end or the route go comes first.
            tokio::select! {
                biased;
                _ = orders.changed() => {
                    let latest = orders.borrow_and_update().clone();
                    match latest.order.message() {
                        Some(message) => self.each(|machine| machine.stop(now(), message)),
                        // Closed and opened again faster than this task could see.
                        None => self.peer.board.carried_out(self.peer.id, latest.number),
                    }
                }
                Ok(()) = self.peer.brief.changed() => self.change(),
                () = self.peer.path.changed() => {
                    let obstacle = self.peer.path.obstacle(&self.peer.terms.peer, self.target);
                    if let Some(Obstacle { subcode, sentence }) = obstacle {
                        self.each(|machine| machine.cut(now(), subcode, &sentence));
                    }
                }
                changed = self.peer.wanted.changed(), if self.keeper_lives => {
                    // Without the keeper nobody would end the announcement in time.
                    self.keeper_lives = changed.is_ok();
                    let lives = self.keeper_lives;
                    let wanted = self.peer.wanted.borrow_and_update().clone();
                    let wanted = wanted.filter(|_| lives);
                    self.each(|machine| machine.set_wanted(now(), wanted.clone()));
                }
                stream = self.peer.door.next(), if self.has_room() => {
                    self.second = self.peer.accepted(stream);
                }
                () = async { if let Some(leaving) = &mut self.leaving { leaving.await } },
                    if self.leaving.is_some() => self.leaving = None,
                () = Self::step(&mut self.first, self.second.as_mut()) => {}
                _ = look_again.tick(), if self.first.machine.lacks_next_hop() => {
                    let candidates = self.first.machine.local_address();
                    let candidates = local::candidates(candidates);
                    self.first.machine.set_candidates(now(), candidates);
                }
            }
        };
        let second = async {
            if let Some(second) = self.second {
                second.finish().await;
            }
        };
        let leaving = async {
            if let Some(leaving) = self.leaving {
                leaving.await;
            }
        };
        tokio::join!(self.first.finish(), second, leaving);
        (end, self.established)
    }

    /// One step of either connection, without favour.
    async fn step(first: &mut Link, second: Option<&mut Link>) {
        match second {
            None => first.step().await,
            Some(second) => tokio::select! {
                () = first.step() => {}
                () = second.step() => {}
            },
        }
    }

    /// Whether another connection may be looked at: two at a time, closing ones included.
    fn has_room(&self) -> bool {
        self.second.is_none() && self.leaving.is_none()
    }

    fn each(&mut self, change: impl Fn(&mut Machine)) {
        change(&mut self.first.machine);
        if let Some(second) = &mut self.second {
            change(&mut second.machine);
        }
    }

    /// The configuration of the peer is another one, or the peer is gone.
    fn change(&mut self) {
        match self.peer.take_change() {
            Change::None => {}
            Change::Soft => {
                let terms = self.peer.terms.clone();
                self.each(|machine| machine.set_terms(now(), terms.clone()));
            }
            Change::Reset(subcode) => self.each(|machine| machine.cease(now(), subcode)),
        }
    }

    /// Gives up one of two connections as soon as it is clear which, goes on with the other when
    /// one ends, and shows what became of it.
    fn settle(&mut self) {
        if let Some(second) = &mut self.second {
            let (first, second) = (&mut self.first, second);
            let pair = (
                (&first.machine, first.origin),
                (&second.machine, second.origin),
            );
            match loser(pair.0, pair.1) {
                Some(Which::First) => first.machine.collide(now()),
                Some(Which::Second) => second.machine.collide(now()),
                None => {}
            }
        }
        self.count();
        let ended = self.first.machine.end().is_some();
        let goes = |second: &mut Link| ended || second.machine.end().is_some();
        if let Some(mut gone) = self.second.take_if(goes) {
            if gone.machine.end().is_none() {
                std::mem::swap(&mut self.first, &mut gone);
                self.shown = None;
            }
            self.leaving = Some(Box::pin(gone.finish()));
        }
        if self.first.machine.state() == PeerState::Established {
            self.established.get_or_insert_with(now);
        }
        // What follows its end the task of the peer shows.
        if self.first.machine.end().is_none() {
            self.show();
        }
    }

    fn count(&mut self) {
        let links = std::iter::once(&mut self.first).chain(&mut self.second);
        for link in links {
            let counters = link.machine.take_counters();
            self.peer.board.count(self.peer.id, &counters);
            let events = link.machine.take_events();
            self.peer.board.log(self.peer.id, now(), events);
        }
    }

    /// Writes what has changed to the board.
    fn show(&mut self) {
        let machine = &self.first.machine;
        if self.shown.replace(machine.version()) == Some(machine.version()) {
            return;
        }
        self.peer.board.told(self.peer.id, machine.told());
        let state = machine.state();
        if state == PeerState::Established
            && let Some((local, remote)) = self.first.ends()
        {
            let opened = Opened {
                local,
                remote,
                opens: machine.opens().clone(),
                path: machine.as_path(),
            };
            self.peer.board.opened(self.peer.id, opened);
        }
        let name = self.peer.terms.peer.name();
        self.peer.board.update(self.peer.id, now(), |status| {
            if status.state != state {
                tracing::info!(peer = %name, state = %state, before = %status.state, "session");
            }
            status.state = state;
            status.local_address = Some(machine.local_address());
            let negotiated = machine.negotiated();
            status.remote_asn = negotiated.map(|of| of.peer_asn);
            status.hold_time_seconds = negotiated.map(|of| of.hold_time);
            status.router_id = negotiated.map(|of| of.peer_router_id);
            status.announced = machine.announced().collect();
            status.not_announced = machine.not_announced();
        });
    }
}
