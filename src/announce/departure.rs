//! How the node leaves, and comes back.
//!
//! In this order: the announcement carries GRACEFUL_SHUTDOWN (RFC 8326), so
//! that the network prefers other nodes while this one still answers; then it
//! is withdrawn; then requests in flight are finished; then the sessions are
//! closed with Cease/Administrative Shutdown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metal_bgp::PeerState;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::driver::Driver;
use super::maintenance::Maintenance;
use crate::edge::drain::{Drain, Pace};

/// How far the node is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is not leaving.
    Serving,
    /// Announced with GRACEFUL_SHUTDOWN.
    Leaving,
    /// Withdrawn, with requests in flight.
    Withdrawn,
    /// Nothing is in flight and the sessions are closed.
    Gone,
}

/// What an operator, or a signal, asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Leave, and stay out of service also when the process starts again.
    Drain,
    /// Come back.
    Undo,
    /// Leave, because the process ends.
    Stop,
}

/// How long each part of a departure may take.
#[derive(Debug, Clone)]
pub struct Times {
    /// From the community to the withdrawal.
    pub graceful_shutdown: Duration,
    /// From the withdrawal to the close of the sessions, at most.
    pub in_flight: Duration,
}

/// Carries out departures.
pub struct Departure {
    speaker: Option<Arc<Driver>>,
    drain: Drain,
    times: Times,
    maintenance: Maintenance,
    phases: watch::Sender<Phase>,
    since: Arc<Mutex<Instant>>,
    requests: mpsc::Receiver<Request>,
}

/// Asks for departures and follows them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Exit {
    requests: mpsc::Sender<Request>,
    phases: watch::Receiver<Phase>,
    since: Arc<Mutex<Instant>>,
}

// === impl Departure ===

impl Departure {
    /// Without a speaker nothing is announced, and nothing is waited for but
    /// the requests in flight. A node in maintenance begins where it has left.
    pub fn new(
        speaker: Option<Arc<Driver>>,
        drain: Drain,
        times: Times,
        maintenance: Maintenance,
    ) -> (Self, Exit) {
        let (sender, requests) = mpsc::channel(8);
        let first = match maintenance.is_set() {
            true => Phase::Gone,
            false => Phase::Serving,
        };
        let (phases, receiver) = watch::channel(first);
        let since = Arc::new(Mutex::new(Instant::now()));
        let departure = Self {
            speaker,
            drain,
            times,
            maintenance,
            phases,
            since: Arc::clone(&since),
            requests,
        };
        let exit = Exit {
            requests: sender,
            phases: receiver,
            since,
        };
        (departure, exit)
    }

    /// Waits for requests and carries them out, until nobody can ask any more.
    pub async fn run(mut self) {
        if *self.phases.borrow() == Phase::Gone {
            tracing::warn!("in maintenance: out of service until `metal-edge drain --undo`");
            self.drain.set(Pace::Closing);
            self.close("in maintenance").await;
        }
        let mut next = self.requests.recv().await;
        while let Some(request) = next {
            next = match request {
                Request::Undo => {
                    self.come_back();
                    self.requests.recv().await
                }
                Request::Drain | Request::Stop => {
                    self.note(request);
                    let serving = *self.phases.borrow() == Phase::Serving;
                    match serving {
                        true => self.leave_unless_undone().await,
                        false => self.requests.recv().await,
                    }
                }
            };
        }
    }

    /// Leaves; returns the request that came next.
    async fn leave_unless_undone(&mut self) -> Option<Request> {
        // Taken out, so that leaving and listening do not share a borrow.
        let (_, closed) = mpsc::channel(1);
        let mut requests = std::mem::replace(&mut self.requests, closed);
        let next = {
            let mut leaving = std::pin::pin!(self.leave());
            let mut left = false;
            loop {
                tokio::select! {
                    () = &mut leaving, if !left => left = true,
                    request = requests.recv() => match request {
                        // Asking twice changes nothing.
                        Some(request @ (Request::Drain | Request::Stop)) => self.note(request),
                        other => break other,
                    },
                }
            }
        };
        self.requests = requests;
        next
    }

    async fn leave(&self) {
        self.enter(Phase::Leaving);
        self.drain.set(Pace::Leaving);
        if self.is_heard() {
            tokio::time::sleep(self.times.graceful_shutdown).await;
        }
        self.enter(Phase::Withdrawn);
        self.drain.set(Pace::Closing);
        if timeout(self.times.in_flight, self.drain.idle())
            .await
            .is_err()
        {
            let requests = self.drain.in_flight();
            tracing::warn!(
                requests,
                "requests are still in flight, leaving without them"
            );
        }
        self.close("drained").await;
        self.enter(Phase::Gone);
    }

    async fn close(&self, reason: &str) {
        if let Some(speaker) = &self.speaker {
            speaker.close(reason).await;
        }
    }

    /// Remembers that an operator wants the node out of service.
    fn note(&self, request: Request) {
        if request == Request::Drain
            && let Err(error) = self.maintenance.set()
        {
            tracing::error!(%error, "the drain will not survive a start of the process");
        }
    }

    fn come_back(&self) {
        if let Err(error) = self.maintenance.clear() {
            tracing::error!(%error, "the node will be out of service when its process starts again");
        }
        self.drain.set(Pace::Serving);
        if let Some(speaker) = &self.speaker {
            speaker.open();
        }
        self.enter(Phase::Serving);
    }

    fn enter(&self, phase: Phase) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if self.phases.send_replace(phase) != phase {
            tracing::info!(?phase, "departure");
        }
    }

    /// Whether any leaf would notice the community.
    fn is_heard(&self) -> bool {
        self.speaker.as_ref().is_some_and(|speaker| {
            let peers = speaker.status().peers;
            peers
                .iter()
                .any(|peer| peer.state == PeerState::Established && !peer.announced.is_empty())
        })
    }
}

// === impl Exit ===

impl Exit {
    /// Asks; false if nobody carries out departures any more, or too many
    /// requests wait.
    pub fn ask(&self, request: Request) -> bool {
        self.requests.try_send(request).is_ok()
    }

    /// How far a departure is.
    pub fn phase(&self) -> Phase {
        *self.phases.borrow()
    }

    /// Since when.
    pub fn since(&self) -> Instant {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the phase.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phases.clone()
    }

    /// Leaves for good; returns when gone, or when nobody carries it out.
    pub async fn leave(&mut self) {
        if self.requests.send(Request::Stop).await.is_ok() {
            // An error means that the departure is over, too.
            let _ = self.phases.wait_for(|phase| *phase == Phase::Gone).await;
        }
    }
}

#[cfg(test)]
#[path = "tests/departure.rs"]
mod tests;
