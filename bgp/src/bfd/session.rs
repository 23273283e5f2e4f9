//! The task that holds a BFD session with one peer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time;

use super::BfdState;
use super::engine::Engine;
use super::health::{Health, Watcher};
use super::packet::Packet;
use super::registry::{Kind, Registry};
use crate::peer::{Brief, Order, Orders, Path};
use crate::session::Terms;
use crate::status::{BfdStatus, Board, PeerId};
use crate::{BfdConfig, socket};

/// Pause before the socket of a session is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Everything that the task needs.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: PeerId,
    pub(crate) brief: watch::Receiver<Brief>,
    pub(crate) orders: watch::Receiver<Orders>,
    pub(crate) path: Path,
    pub(crate) registry: Registry,
    pub(crate) board: Board,
    /// Where the BGP session looks.
    pub(crate) health: watch::Sender<Health>,
}

/// Holds a BFD session for as long as the peer is configured, with it or without.
pub(crate) async fn hold(mut session: Session) {
    loop {
        if session.orders.borrow_and_update().order == Order::Stop {
            return;
        }
        let terms = match &*session.brief.borrow_and_update() {
            Brief::Gone => return,
            Brief::Hold(terms) => Arc::clone(terms),
        };
        let Some(config) = terms.peer.bfd else {
            session.forget();
            session.news().await;
            continue;
        };
        match session.path.target(&terms.peer) {
            Ok(target) => {
                if let Err(sentence) = session.run(&terms, config, target).await {
                    session.show_fault(sentence);
                    session.news_or(PAUSE).await;
                }
            }
            Err(sentence) => {
                session.show_fault(sentence);
                session.news_or(PAUSE).await;
            }
        }
    }
}

// === impl Session ===

impl Session {
    /// Exchanges packets with `target` until something else is configured, or the way there is
    /// another one.
    async fn run(
        &mut self,
        terms: &Terms,
        config: BfdConfig,
        target: SocketAddr,
    ) -> Result<(), String> {
        let name = terms.peer.name();
        self.tell(Health::Fine);
        let kind = Kind {
            v6: target.is_ipv6(),
            multihop: config.multihop,
        };
        let socket = socket::bfd_sender(&terms.peer, target, super::port(config.multihop))
            .map_err(|error| format!("no packets to {name}: {error}"))?;
        let mut place = self.registry.enter(target, config.multihop);
        let mut engine = Engine::new(now(), &config, place.my);
        let mut watcher = Watcher::default();
        let mut orders = self.orders.clone();
        loop {
            match orders.borrow_and_update().order {
                Order::Open => engine.enable(now()),
                Order::Close(_) | Order::Stop => engine.disable(now()),
            }
            while let Some(packet) = engine.transmit(now()) {
                self.send(&socket, &packet);
            }
            self.show(&engine, &name, kind);
            if let Some(health) = watcher.look(now(), &engine, &name) {
                self.tell(health);
            }
            if orders.borrow().order == Order::Stop {
                return Ok(());
            }
            let deadline = [engine.deadline(), watcher.deadline()];
            tokio::select! {
                biased;
                _ = orders.changed() => {}
                changed = self.brief.changed() => {
                    let same = changed.is_ok() && match &*self.brief.borrow() {
                        Brief::Hold(new) => new.peer.bfd == Some(config) && terms.survives(new),
                        Brief::Gone => false,
                    };
                    if !same {
                        engine.disable(now());
                        while let Some(packet) = engine.transmit(now()) {
                            self.send(&socket, &packet);
                        }
                        self.tell(Health::Fine);
                        return Ok(());
                    }
                }
                () = self.path.changed() => {
                    if self.path.target(&terms.peer) != Ok(target) {
                        return Ok(());
                    }
                }
                Some(packet) = place.packets.recv() => {
                    self.board.count_bfd(self.id, |status| status.received += 1);
                    engine.receive(now(), &packet);
                }
                () = sleep_until(deadline.into_iter().flatten().min()) => {
                    engine.tick(now());
                }
            }
        }
    }

    fn send(&self, socket: &UdpSocket, packet: &Packet) {
        match socket.try_send(&packet.encode()) {
            Ok(_) => self.board.count_bfd(self.id, |status| status.sent += 1),
            // The peer's refusal, or a link that is down: it shows by the silence of the peer.
            Err(error) => tracing::trace!(%error, "BFD packet not sent"),
        }
    }

    fn show(&self, engine: &Engine, name: &str, kind: Kind) {
        let now = now();
        let state = engine.state();
        let before = self.board.bfd_state(self.id);
        if before != Some(state) {
            let diagnostic = engine.diagnostic();
            match (before, state) {
                (Some(BfdState::Up), _) => {
                    tracing::warn!(peer = %name, %state, %diagnostic, "BFD session");
                }
                _ => tracing::info!(peer = %name, %state, "BFD session"),
            }
        }
        let fault = self.registry.fault(kind);
        self.board.show_bfd(self.id, now, |status| {
            status.state = state;
            status.diagnostic = engine.diagnostic();
            status.remote_state = engine.remote_state();
            status.remote_diagnostic = engine.remote_diagnostic();
            status.transmit_interval_ms = engine.transmit_interval().map(millis);
            status.detection_time_ms = millis(engine.detection_time());
            status.fault = fault;
        });
    }

    fn show_fault(&self, sentence: String) {
        self.board.show_bfd(self.id, now(), |status| {
            let BfdStatus { sent, received, .. } = *status;
            *status = BfdStatus::default();
            (status.sent, status.received) = (sent, received);
            status.fault = Some(sentence);
        });
    }

    fn tell(&self, new: Health) {
        self.health.send_if_modified(|health| {
            let news = *health != new;
            *health = new;
            news
        });
    }

    fn forget(&self) {
        self.board.forget_bfd(self.id);
        self.tell(Health::Fine);
    }

    /// Waits until something else is configured or ordered.
    async fn news(&mut self) {
        tokio::select! {
            _ = self.orders.changed() => {}
            _ = self.brief.changed() => {}
        }
    }

    async fn news_or(&mut self, pause: Duration) {
        let mut path = self.path.clone();
        tokio::select! {
            () = self.news() => {}
            () = path.changed() => {}
            () = time::sleep(pause) => {}
        }
    }
}

fn now() -> Instant {
    time::Instant::now().into_std()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
