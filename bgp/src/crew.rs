//! The tasks of a speaker: one per peer, one per address that is listened on.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::PeerConfig;
use crate::bfd::{self, Health, Kind};
use crate::forwarding::{Verifier, verify};
use crate::keeper::Wanted;
use crate::listener::{self, Register};
use crate::neighbor::{Sight, discover};
use crate::peer::{self, Brief, Door, Orders, Path, Peer};
use crate::plan::Plan;
use crate::session::Terms;
use crate::socket::sign;
use crate::status::{Board, PeerId};

/// The tasks, and what leads to them.
#[derive(Debug)]
pub(crate) struct Crew {
    wanted: watch::Receiver<Wanted>,
    orders: watch::Receiver<Orders>,
    board: Board,
    members: Vec<Member>,
    sessions: JoinSet<()>,
    searches: JoinSet<()>,
    verifiers: JoinSet<()>,
    registry: bfd::Registry,
    detectors: JoinSet<()>,
    detects: Vec<(Kind, AbortHandle)>,
    ears: Vec<(Arc<TcpListener>, AbortHandle)>,
    listening: JoinSet<()>,
    register: watch::Sender<Register>,
}

#[derive(Debug)]
struct Member {
    id: PeerId,
    terms: Arc<Terms>,
    brief: watch::Sender<Brief>,
    door: Door,
}

// === impl Crew ===

impl Crew {
    pub(crate) fn new(
        wanted: watch::Receiver<Wanted>,
        orders: watch::Receiver<Orders>,
        board: Board,
    ) -> Self {
        Self {
            wanted,
            orders,
            board,
            members: Vec::new(),
            sessions: JoinSet::new(),
            searches: JoinSet::new(),
            verifiers: JoinSet::new(),
            registry: bfd::Registry::default(),
            detectors: JoinSet::new(),
            detects: Vec::new(),
            ears: Vec::new(),
            listening: JoinSet::new(),
            register: watch::Sender::default(),
        }
    }

    /// Makes the tasks what `plan` says. A task that it does not change is left alone; one that
    /// it no longer has ends by itself once its peer knows.
    pub(crate) fn follow(&mut self, plan: &Plan) {
        let mut before = std::mem::take(&mut self.members);
        for (id, peer) in plan.ids.iter().zip(&plan.config.peers) {
            let terms = Arc::new(plan.config.terms(peer));
            let known = before.iter().position(|member| member.id == *id);
            let member = match known.map(|position| before.swap_remove(position)) {
                Some(member) => member.on(terms),
                None => self.hire(*id, terms),
            };
            self.members.push(member);
        }
        for gone in before {
            gone.brief.send_replace(Brief::Gone);
        }
        // Peers on a link connect from an address that says nothing without it, so to them the
        // speaker connects.
        let doors = self.members.iter().filter_map(|member| {
            let peer = &member.terms.peer;
            let address = peer.address.filter(|_| !peer.on_link())?;
            Some((address, member.door.clone()))
        });
        self.register.send_replace(Arc::new(doors.collect()));
        self.demand_signatures(&plan.listeners);
        self.listen_on(&plan.listeners);
        self.detect();
    }

    /// Receives BFD packets of the kinds that there are sessions of.
    fn detect(&mut self) {
        let kinds: Vec<Kind> = self.members.iter().filter_map(Member::detection).collect();
        self.detects.retain(|(kind, task)| {
            let stays = kinds.contains(kind);
            if !stays {
                task.abort();
            }
            stays
        });
        for kind in kinds {
            if self.detects.iter().all(|(known, _)| *known != kind) {
                let task = bfd::receive(self.registry.clone(), kind);
                self.detects.push((kind, self.detectors.spawn(task)));
            }
        }
        while self.detectors.try_join_next().is_some() {}
    }

    /// A key that the kernel does not take keeps its peer out, which is the safe side.
    fn demand_signatures(&self, listeners: &[Arc<TcpListener>]) {
        for listener in listeners {
            let v4 = listener.local_addr().is_ok_and(|local| local.is_ipv4());
            let peers = self.members.iter().map(|member| &member.terms.peer);
            let peers = peers.filter(|peer| !peer.on_link());
            let peers = peers.filter_map(|peer| Some((peer.address?, peer.md5_key.as_ref())));
            for (address, key) in peers.filter(|(address, _)| address.is_ipv4() == v4) {
                if let Err(error) = sign(listener, address, key) {
                    tracing::error!(peer = %address, %error, "MD5 key refused");
                }
            }
        }
    }

    /// Waits until every session has ended, as [`Orders`] or a plan without peers make them.
    pub(crate) async fn ended(&mut self) {
        while self.sessions.join_next().await.is_some() {}
    }

    fn hire(&mut self, id: PeerId, terms: Arc<Terms>) -> Member {
        let (brief, brief_receiver) = watch::channel(Brief::Hold(Arc::clone(&terms)));
        let door = Door::default();
        let sight = self.look_for(&terms.peer);
        let (health_sender, health) = watch::channel(Health::Fine);
        self.sessions.spawn(bfd::hold(bfd::Session {
            id,
            brief: brief_receiver.clone(),
            orders: self.orders.clone(),
            path: Path {
                sight: sight.clone(),
                health: None,
            },
            registry: self.registry.clone(),
            board: self.board.clone(),
            health: health_sender,
        }));
        let path = Path {
            sight,
            health: Some(health),
        };
        self.verifiers.spawn(verify(Verifier {
            id,
            brief: brief_receiver.clone(),
            board: self.board.clone(),
        }));
        while self.verifiers.try_join_next().is_some() {}
        self.sessions.spawn(peer::supervise(Peer {
            id,
            terms: Arc::clone(&terms),
            brief: brief_receiver,
            wanted: self.wanted.clone(),
            orders: self.orders.clone(),
            door: door.clone(),
            path,
            board: self.board.clone(),
        }));
        // Those that have ended since the last plan.
        while self.sessions.try_join_next().is_some() {}
        Member {
            id,
            terms,
            brief,
            door,
        }
    }

    /// Looks for a peer that is on a link, until its task is gone.
    fn look_for(&mut self, peer: &PeerConfig) -> Option<watch::Receiver<Sight>> {
        let interface = peer.interface.clone().filter(|_| peer.on_link())?;
        let (sender, sight) = watch::channel(Sight::unknown(&interface));
        let fixed = match peer.address {
            Some(IpAddr::V6(address)) => Some(address),
            _ => None,
        };
        self.searches.spawn(discover(interface, fixed, sender));
        while self.searches.try_join_next().is_some() {}
        Some(sight)
    }

    fn listen_on(&mut self, listeners: &[Arc<TcpListener>]) {
        self.ears.retain(|(ear, task)| {
            let stays = listeners.iter().any(|listener| Arc::ptr_eq(listener, ear));
            if !stays {
                task.abort();
            }
            stays
        });
        for listener in listeners {
            if self.ears.iter().all(|(ear, _)| !Arc::ptr_eq(listener, ear)) {
                let register = self.register.subscribe();
                let board = self.board.clone();
                let task = listener::listen(Arc::clone(listener), register, board);
                let task = self.listening.spawn(task);
                self.ears.push((Arc::clone(listener), task));
            }
        }
        while self.listening.try_join_next().is_some() {}
    }
}

// === impl Member ===

impl Member {
    /// The kind of its BFD session, if it has one.
    fn detection(&self) -> Option<Kind> {
        let peer = &self.terms.peer;
        Some(Kind {
            v6: peer.address.is_none_or(|address| address.is_ipv6()),
            multihop: peer.bfd?.multihop,
        })
    }

    /// The same peer on perhaps other terms.
    fn on(self, terms: Arc<Terms>) -> Self {
        if self.terms != terms {
            self.brief.send_replace(Brief::Hold(Arc::clone(&terms)));
        }
        Self { terms, ..self }
    }
}
