//! A man in the middle of PostgreSQL's wire protocol, for tests.
//!
//! It stands before a PostgreSQL, sees every statement and every COMMIT, and
//! - as [`Engine::Cockroach`] says that it is CockroachDB where a client asks, and refuses what
//!   CockroachDB refuses, with its error codes;
//! - answers 40001 and 40003 in PostgreSQL's place, and cuts the connection just before a COMMIT
//!   is forwarded, just after, and after it was carried out: at random, from a seed that it
//!   prints, or where a [`script`](Proxy::script) says.
//!
//! What it lets pass is carried out by PostgreSQL: it proves how a client takes CockroachDB's
//! answers, not how CockroachDB comes to them.
#![allow(dead_code, reason = "shared by tests, each of which uses a part")]

mod cockroach;
mod faults;
mod session;
mod statement;
mod wire;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use faults::{Fault, Faults, Point};

/// Which database the proxy says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// What stands behind it.
    Postgres,
    /// CockroachDB.
    Cockroach,
}

/// What the proxy did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections of clients.
    pub connections: u64,
    /// Statements that reached a point of execution.
    pub statements: u64,
    /// Statements prepared.
    pub prepared: u64,
    /// Commits among them, a write outside a transaction included.
    pub commits: u64,
    /// Statements refused because CockroachDB refuses them, each once.
    pub refused: Vec<String>,
    /// Faults of each kind, in the order of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
}

/// A running proxy; it and its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    engine: Engine,
    faults: Mutex<Faults>,
    script: Mutex<VecDeque<(Point, Fault)>>,
    connections: AtomicU64,
    statements: AtomicU64,
    prepared: AtomicU64,
    commits: AtomicU64,
    refused: Mutex<Vec<String>>,
    /// Whether nobody gets through.
    down: watch::Sender<bool>,
    injected: [AtomicU64; Fault::ALL.len()],
}

// === impl Proxy ===

impl Proxy {
    /// A proxy on a loopback port before the database at `upstream`.
    pub async fn start(upstream: SocketAddr, engine: Engine, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            engine,
            faults: Mutex::new(faults),
            script: Mutex::default(),
            connections: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            prepared: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            refused: Mutex::default(),
            down: watch::Sender::new(false),
            injected: Default::default(),
        });
        let listener = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            listener,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Other faults from now on.
    pub fn set(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
    }

    /// The next time that a connection comes to this point, this fault. Several wait for each
    /// other.
    pub fn script(&self, point: Point, fault: Fault) {
        lock(&self.shared.script).push_back((point, fault));
    }

    /// Whether every fault of the script has happened.
    pub fn script_is_done(&self) -> bool {
        lock(&self.shared.script).is_empty()
    }

    /// Ends every connection, and every new one at once, until [`mend`](Self::mend).
    pub fn cut(&self) {
        self.shared.down.send_replace(true);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.shared.down.send_replace(false);
    }

    /// What happened so far.
    pub fn report(&self) -> Report {
        Report {
            connections: self.shared.connections.load(Relaxed),
            statements: self.shared.statements.load(Relaxed),
            prepared: self.shared.prepared.load(Relaxed),
            commits: self.shared.commits.load(Relaxed),
            refused: lock(&self.shared.refused).clone(),
            faults: std::array::from_fn(|i| self.shared.injected[i].load(Relaxed)),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

// === impl Report ===

impl Report {
    /// How often this fault was injected.
    pub fn count(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }
}

// === impl Shared ===

impl Shared {
    /// The fault of this point, by the script or else by chance.
    fn draw(&self, point: Point, coin: &mut faults::Coin) -> Option<Fault> {
        let mut script = lock(&self.script);
        let fault = match script.front() {
            Some((at, _)) if *at == point => script.pop_front().map(|(_, fault)| fault),
            _ => lock(&self.faults).draw(point, coin),
        }?;
        self.injected[fault as usize].fetch_add(1, Relaxed);
        Some(fault)
    }

    fn refuse(&self, statement: &str) {
        let mut refused = lock(&self.refused);
        if !refused.iter().any(|known| known == statement) {
            refused.push(statement.to_owned());
        }
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let number = shared.connections.fetch_add(1, Relaxed);
                let shared = Arc::clone(&shared);
                sessions.spawn(async move {
                    let mut down = shared.down.subscribe();
                    tokio::select! {
                        biased;
                        _ = down.wait_for(|down| *down) => {}
                        () = session::run(client, number, Arc::clone(&shared)) => {}
                    }
                });
            }
            Some(_) = sessions.join_next() => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
