//! Clients that acquire and release, and write down what they were told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metal_edge::ipam::{Allocator, Applied, Extra, Interval, Ipam, IpamError, Move, PoolId, Want};
use metal_storage::{Batch, Error, Filter, Read, Revision, Scope, Store, Stored, Table};

use crate::fault::Faults;
use crate::follower::Follower;
use crate::lease::Lease;
use crate::node::Node;
use crate::state::SIZE;
use crate::verdict::Verdict;
use tokio::sync::watch;

const NODES: usize = 3;
const CLIENTS: usize = 64;

/// Pools, and how many values they have: one is short, so that clients are refused.
pub const POOLS: [(&str, u128); 2] = [("net/wide", SIZE), ("net/short", 40)];

/// Longer than anything here takes, against hanging.
const HANG: Duration = Duration::from_secs(90);

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Event {
    /// Of the record that says that something is acquired.
    pub lease: String,
    /// The place of its pool in [`POOLS`].
    pub pool: usize,
    /// What was to be acquired, or nothing where it was released.
    pub want: Option<Want>,
    pub begun: Instant,
    pub ended: Option<Instant>,
    pub answer: Answer,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Done(Revision, Option<Interval>),
    /// There was nothing to be had.
    Refused,
    /// Other nodes were faster, every time.
    TooBusy,
    /// The store could not do it.
    Unavailable,
    /// Nobody knows, or the client was killed.
    Unknown,
}

/// What all clients share.
#[derive(Debug, Default)]
pub struct Clients {
    pub events: Mutex<Vec<Event>>,
    started: AtomicUsize,
    ended: AtomicUsize,
    stop: AtomicBool,
    seed: u64,
}

/// One client.
pub struct Client {
    clients: Arc<Clients>,
    allocator: Allocator,
    name: usize,
    dice: u64,
    held: Vec<Stored<Lease>>,
}

/// Runs clients on pools while their store fails, and judges.
pub async fn run<F: Faults>(mut faults: F) {
    let store = faults.connect().await;
    let ipam = Ipam::new(Arc::clone(&store));
    let allocator = ipam.scope(&Scope::Global);
    for (pool, size) in POOLS {
        let create = Move::Create {
            pool: pool.parse().unwrap(),
            spans: vec![Interval::new(0, size - 1).unwrap()],
            reserved: vec![],
        };
        let nothing = |_: &[Interval]| Ok(Extra::default());
        allocator.apply(vec![create], nothing).await.unwrap();
    }
    let (end, ends) = watch::channel(None);
    let follower = tokio::spawn(Follower::follow(Arc::clone(&store), ends));
    let clients = Arc::new(Clients {
        seed: crate::proxy::Faults::seed(),
        ..Clients::default()
    });
    let share = |node: usize| CLIENTS / NODES + usize::from(node < CLIENTS % NODES);
    let mut nodes: Vec<Node> = (0..NODES)
        .map(|node| Node::start(&faults, &clients, share(node)))
        .collect();
    let long = std::env::var_os("METAL_TEST_LONG").is_some();
    let rounds = if long { 6 } else { 1 };
    for round in 0..rounds {
        clients.go_on().await;
        let victim = round % NODES;
        let alive = Node::start(&faults, &clients, share(victim));
        std::mem::replace(&mut nodes[victim], alive).kill();
        clients.go_on().await;
        faults.strike().await;
        faults.heal().await;
    }
    clients.go_on().await;
    clients.stop().await;
    drop(nodes);
    faults.end();
    let last = give_back(&store, &allocator).await;
    assert_eq!(ipam.pools(&Scope::Global).check().await.unwrap(), []);
    let events = std::mem::take(&mut *clients.events.lock().unwrap());
    end.send(Some(last)).unwrap();
    let seen = tokio::time::timeout(HANG, follower).await.unwrap().unwrap();
    Verdict::of(&seen, &events).report(F::NAME);
}

/// Releases everything that is still acquired, so that nothing may be missing; gives the last
/// revision.
async fn give_back(store: &Arc<dyn Store>, allocator: &Allocator) -> Revision {
    let mut revision = Revision::ZERO;
    let leases: Table<Lease> = Table::new(Arc::clone(store), Scope::Global);
    for lease in leases.list(Filter::all(), Read::Latest).await.unwrap() {
        release(allocator, &lease).await.unwrap();
    }
    for (pool, size) in POOLS {
        let whole = Move::Acquire {
            pool: pool.parse().unwrap(),
            want: Want::Range(Interval::new(0, size - 1).unwrap()),
        };
        let id = format!("last of {pool}");
        let noted = id.clone();
        let last = move |acquired: &[Interval]| note(&noted, pool, acquired[0]);
        let missing = allocator.apply(vec![whole], last).await.map(drop);
        assert_eq!(missing, Ok(()), "something of {pool} was lost");
        let last = leases.get(&id, Read::Latest).await.unwrap().unwrap();
        revision = release(allocator, &last).await.unwrap().revision;
    }
    revision
}

/// The record of what was acquired.
fn note(id: &str, pool: &str, interval: Interval) -> metal_storage::Result<Extra> {
    let mut batch = Batch::new(Scope::Global);
    batch.insert(&Lease {
        id: id.to_owned(),
        pool: pool.parse().expect("a pool of this test"),
        interval,
    })?;
    Ok(Extra {
        guards: batch.guards,
        writes: batch.writes,
        moves: vec![],
    })
}

async fn release(allocator: &Allocator, lease: &Stored<Lease>) -> Result<Applied, IpamError> {
    let release = Move::Release {
        pool: lease.value.pool.clone(),
        interval: lease.value.interval,
    };
    let mut batch = Batch::new(Scope::Global);
    batch.delete(lease).unwrap();
    let extra = Extra {
        guards: batch.guards,
        writes: batch.writes,
        moves: vec![],
    };
    allocator
        .apply(vec![release], move |_| Ok(extra.clone()))
        .await
}

// === impl Clients ===

impl Clients {
    /// Waits for some time, and for requests that were begun after it and carried out.
    async fn go_on(&self) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let begun = Instant::now();
        let done = |event: &&Event| event.begun > begun && matches!(event.answer, Answer::Done(..));
        while self.events.lock().unwrap().iter().filter(done).count() < CLIENTS {
            assert!(begun.elapsed() < HANG, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets the clients that live come to an end.
    async fn stop(&self) {
        self.stop.store(true, SeqCst);
        let begun = Instant::now();
        while self.ended.load(SeqCst) < CLIENTS {
            assert!(begun.elapsed() < HANG, "clients do not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

// === impl Client ===

impl Client {
    pub fn new(clients: &Arc<Clients>, allocator: Allocator) -> Self {
        let name = clients.started.fetch_add(1, SeqCst);
        Self {
            clients: Arc::clone(clients),
            allocator,
            name,
            dice: clients.seed ^ ((name as u64) << 32),
            held: vec![],
        }
    }

    pub async fn run(mut self) {
        for number in 0.. {
            if self.clients.stop.load(SeqCst) {
                break;
            }
            // More acquire than release, until the pools are full.
            let answer = match self.held.len() {
                0 => self.acquire(number).await,
                n if n < 8 && self.throw(100) < 52 => self.acquire(number).await,
                _ => self.release().await,
            };
            if !matches!(answer, Answer::Done(..) | Answer::Refused) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        self.clients.ended.fetch_add(1, SeqCst);
    }

    async fn acquire(&mut self, number: usize) -> Answer {
        let pool = usize::from(self.throw(4) == 0);
        let (name, size) = POOLS[pool];
        let want = match self.throw(10) {
            0..=5 => Want::Any,
            6 => Want::Value(u128::from(self.throw(size as u64))),
            7 => Want::UpTo(1 + u128::from(self.throw(3))),
            _ => Want::Aligned {
                bits: self.throw(3) as u8,
            },
        };
        let lease = format!("{}-{number}", self.name);
        let at = self.begin(&lease, pool, Some(want));
        let (id, pool): (_, PoolId) = (lease.clone(), name.parse().unwrap());
        let noted = move |acquired: &[Interval]| note(&id, name, acquired[0]);
        let acquire = Move::Acquire {
            pool: pool.clone(),
            want,
        };
        let applied = self.allocator.apply(vec![acquire], noted).await;
        if let Ok(applied) = &applied {
            let interval = applied.intervals[0];
            self.held.push(Stored {
                value: Lease {
                    id: lease,
                    pool,
                    interval,
                },
                version: applied.revision.into(),
            });
        }
        self.end(at, applied)
    }

    async fn release(&mut self) -> Answer {
        let which = self.throw(self.held.len() as u64) as usize;
        let lease = self.held.swap_remove(which);
        let pool = lease.value.pool.as_str();
        let pool = POOLS.iter().position(|(name, _)| *name == pool).unwrap();
        let at = self.begin(&lease.value.id, pool, None);
        let applied = release(&self.allocator, &lease).await;
        let answer = self.end(at, applied);
        match answer {
            Answer::TooBusy | Answer::Unavailable => self.held.push(lease),
            Answer::Refused => panic!("{lease:?} was not taken back"),
            Answer::Done(..) | Answer::Unknown => {}
        }
        answer
    }

    /// Writes down that a request begins; gives its place.
    fn begin(&self, lease: &str, pool: usize, want: Option<Want>) -> usize {
        let mut events = self.clients.events.lock().unwrap();
        events.push(Event {
            lease: lease.to_owned(),
            pool,
            want,
            begun: Instant::now(),
            ended: None,
            answer: Answer::Unknown,
        });
        events.len() - 1
    }

    fn end(&self, at: usize, applied: Result<Applied, IpamError>) -> Answer {
        let answer = match applied {
            Ok(applied) => Answer::Done(applied.revision, applied.intervals.first().copied()),
            Err(IpamError::Exhausted { .. } | IpamError::Taken { .. }) => Answer::Refused,
            Err(IpamError::TooBusy(_)) => Answer::TooBusy,
            Err(IpamError::Store(Error::Unavailable { .. })) => Answer::Unavailable,
            Err(IpamError::Store(Error::Unknown(_))) => Answer::Unknown,
            Err(error) => panic!("{error}"),
        };
        let event = &mut self.clients.events.lock().unwrap()[at];
        event.ended = Some(Instant::now());
        event.answer.clone_from(&answer);
        answer
    }

    /// A number below this one (SplitMix64).
    fn throw(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}
