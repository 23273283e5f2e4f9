//! The tasks of a speaker: one per peer, one per address that is listened on.

use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::keeper::Wanted;
use crate::listener::{self, Register};
use crate::peer::{self, Brief, Door, Orders, Peer};
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
        let doors = self.members.iter();
        let doors = doors.map(|member| (member.terms.peer.address, member.door.clone()));
        self.register.send_replace(Arc::new(doors.collect()));
        self.demand_signatures(&plan.listeners);
        self.listen_on(&plan.listeners);
    }

    /// A key that the kernel does not take keeps its peer out, which is the safe side.
    fn demand_signatures(&self, listeners: &[Arc<TcpListener>]) {
        for listener in listeners {
            let v4 = listener.local_addr().is_ok_and(|local| local.is_ipv4());
            let peers = self.members.iter().map(|member| &member.terms.peer);
            for peer in peers.filter(|peer| peer.address.is_ipv4() == v4) {
                if let Err(error) = sign(listener, peer.address, peer.md5_key.as_ref()) {
                    tracing::error!(peer = %peer.address, %error, "MD5 key refused");
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
        self.sessions.spawn(peer::supervise(Peer {
            id,
            terms: Arc::clone(&terms),
            brief: brief_receiver,
            wanted: self.wanted.clone(),
            orders: self.orders.clone(),
            door: door.clone(),
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
    /// The same peer on perhaps other terms.
    fn on(self, terms: Arc<Terms>) -> Self {
        if self.terms != terms {
            self.brief.send_replace(Brief::Hold(Arc::clone(&terms)));
        }
        Self { terms, ..self }
    }
}
