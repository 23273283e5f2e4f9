//! The task that asks one peer's forwarding.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time;

use super::ledger::Ledger;
use super::link::Link;
use super::round::round;
use crate::peer::Brief;
use crate::session::Terms;
use crate::status::{Board, PeerId, Version};
use crate::{ForwardingStatus, LogEvent};

/// Pause before it is tried again what could not be.
const PAUSE: Duration = Duration::from_secs(10);

/// Everything that the task needs.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) id: PeerId,
    pub(crate) brief: watch::Receiver<Brief>,
    pub(crate) board: Board,
}

/// What is known on one session.
#[derive(Debug, Default)]
struct State {
    version: Option<Version>,
    ends: Option<(SocketAddr, SocketAddr)>,
    ledger: Ledger,
    obstacle: Option<Obstacle>,
}

/// Why it cannot be looked at.
#[derive(Debug)]
struct Obstacle {
    sentence: String,
    until: Instant,
}

/// Looks whether a peer sends here what it was told, for as long as it is configured.
pub(crate) async fn verify(mut verifier: Verifier) {
    let mut ticks = verifier.board.subscribe();
    let mut state = State::default();
    loop {
        ticks.mark_unchanged();
        let terms = match &*verifier.brief.borrow_and_update() {
            Brief::Gone => return,
            Brief::Hold(terms) => Arc::clone(terms),
        };
        match verifier.board.version(verifier.id).filter(|_| terms.verify) {
            Some(version) => verifier.look(&mut state, &terms, version).await,
            None => state = State::default(),
        }
        verifier.show(&state, &terms);
        tokio::select! {
            changed = ticks.changed() => if changed.is_err() {
                return;
            },
            changed = verifier.brief.changed() => if changed.is_err() {
                return;
            },
            () = sleep_until(state.next()) => {}
        }
    }
}

// === impl Verifier ===

impl Verifier {
    /// Takes over what is new, and does what is due.
    async fn look(&self, state: &mut State, terms: &Terms, version: Version) {
        let before = state.version.filter(|it| it.session == version.session);
        if before.is_none() {
            *state = State::default();
        }
        let over = |obstacle: &mut Obstacle| obstacle.until <= now();
        let anew = state.obstacle.take_if(over).is_some();
        if anew || before != Some(version) {
            state.version = Some(version);
            let Some((local, remote, told)) = self.board.session(self.id) else {
                return;
            };
            state.ends = Some((local, remote));
            state.obstacle = None;
            let asked = before.is_some_and(|it| it.refreshes != version.refreshes);
            state.ledger.follow(now(), &told, asked);
        }
        if state.ledger.next().is_some_and(|due| due <= now())
            && let Err(sentence) = round_of(state, terms).await
        {
            state.ledger = Ledger::default();
            let until = now() + PAUSE;
            state.obstacle = Some(Obstacle { sentence, until });
        }
    }

    fn show(&self, state: &State, terms: &Terms) {
        let status = state.version.map(|_| ForwardingStatus {
            verified: state.ledger.verified(),
            missing: state.ledger.missing(),
            unverified: state.obstacle.as_ref().map(|it| it.sentence.clone()),
        });
        let new = status.clone().unwrap_or_default();
        let before = self.board.show_forwarding(self.id, status);
        let before = before.unwrap_or_default().missing;
        if new.missing == before {
            return;
        }
        let peer = terms.peer.name();
        let event = match (new.missing.first(), new.notice()) {
            (Some(first), Some(notice)) => {
                tracing::warn!(%peer, "{notice}");
                LogEvent::Missed {
                    prefixes: new.missing.len(),
                    first: *first,
                }
            }
            _ if before.iter().all(|prefix| new.verified.contains(prefix)) => {
                tracing::info!(%peer, "the leaf sends every announced prefix here again");
                LogEvent::NoneMissed
            }
            // It is announced no more, or there is no session.
            _ => return,
        };
        self.board.log(self.id, now(), vec![event]);
    }
}

/// One round of what is due.
///
/// # Errors
///
/// Why there can be none, as one sentence.
async fn round_of(state: &mut State, terms: &Terms) -> Result<(), String> {
    let Some((local, remote)) = state.ends else {
        return Ok(());
    };
    let link = Link::find(terms, local, remote)?;
    let due = state.ledger.take_due(now());
    let foreign = due.iter().find(|(_, route)| !link.owns(route.next_hop));
    if let Some((prefix, route)) = foreign {
        let next_hop = route.next_hop;
        return Err(format!(
            "the next hop of {prefix}, {next_hop}, is not this node's"
        ));
    }
    let back = round(&link, &due).await.map_err(|error| explain(&error))?;
    for prefix in &back {
        state.ledger.came_back(prefix);
    }
    state.ledger.conclude();
    Ok(())
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "it needs CAP_NET_RAW".to_owned(),
        _ => format!("there is no packet socket to be had: {error}"),
    }
}

// === impl State ===

impl State {
    /// When there is something to be done.
    fn next(&self) -> Option<Instant> {
        let until = self.obstacle.as_ref().map(|obstacle| obstacle.until);
        [self.ledger.next(), until].into_iter().flatten().min()
    }
}

fn now() -> Instant {
    time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
