use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_edge::ipam::{Allocator, Extra, Interval, Ipam, Move, PoolId, Want, prefix};
use metal_storage::{Scope, Store};
use tokio::task::JoinSet;

use crate::case::{Case, Kind};
use crate::outcome::Outcome;

/// Moves in one request while the pool is filled.
const AT_ONCE: usize = 16;

/// A pool of ours, as the case has it.
pub struct Bench {
    case: Case,
    allocator: Allocator,
    pool: PoolId,
}

// === impl Bench ===

impl Bench {
    pub async fn prepare(case: &Case, store: Arc<dyn Store>) -> Self {
        let bench = Self {
            case: *case,
            allocator: Ipam::new(store).scope(&Scope::Global),
            pool: "bench".parse().unwrap(),
        };
        let parent = case.parent();
        let reserved = match case.kind {
            Kind::Address => prefix::reserved(&parent),
            Kind::Child { .. } | Kind::Prefix => vec![],
        };
        let create = Move::Create {
            pool: bench.pool.clone(),
            spans: vec![prefix::interval(&parent)],
            reserved,
        };
        apply(&bench.allocator, vec![create]).await;
        let fill = |some: &[Interval]| {
            let moves = some.iter().flat_map(|interval| bench.make(*interval));
            apply(&bench.allocator, moves.collect())
        };
        // As many as go into one batch.
        let taken = case.taken();
        for some in taken.chunks(3 * AT_ONCE) {
            futures::future::join_all(some.chunks(AT_ONCE).map(fill)).await;
        }
        bench
    }

    /// Lets so many clients acquire and release.
    pub async fn run(&self, clients: usize, time: Duration) -> Outcome {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            let (case, pool) = (self.case, self.pool.clone());
            let allocator = self.allocator.clone();
            tasks.spawn(async move {
                let mut took = Vec::new();
                for number in 0.. {
                    let begun_pair = Instant::now();
                    if begun_pair.duration_since(begun) >= time {
                        break;
                    }
                    let want = case.want(client, number);
                    let acquired = apply(&allocator, acquire(&case, &pool, want)).await;
                    took.push(begun_pair.elapsed());
                    apply(&allocator, release(&case, &pool, acquired[0])).await;
                }
                took
            });
        }
        let took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
        Outcome::of(took, begun.elapsed().as_secs_f64())
    }

    fn make(&self, interval: Interval) -> Vec<Move> {
        acquire(&self.case, &self.pool, Want::Range(interval))
    }
}

/// A new prefix has a pool of its own.
fn acquire(case: &Case, pool: &PoolId, want: Want) -> Vec<Move> {
    let pool = pool.clone();
    match (case.kind, want) {
        (Kind::Prefix, Want::Range(interval)) => {
            let create = Move::Create {
                pool: own(interval),
                spans: vec![interval],
                reserved: vec![Interval::one(interval.lo), Interval::one(interval.hi)],
            };
            vec![Move::Acquire { pool, want }, create]
        }
        _ => vec![Move::Acquire { pool, want }],
    }
}

fn release(case: &Case, pool: &PoolId, interval: Interval) -> Vec<Move> {
    let pool = pool.clone();
    let release = Move::Release { pool, interval };
    match case.kind {
        Kind::Prefix => vec![
            Move::Delete {
                pool: own(interval),
            },
            release,
        ],
        Kind::Address | Kind::Child { .. } => vec![release],
    }
}

fn own(interval: Interval) -> PoolId {
    format!("bench/{interval}").parse().unwrap()
}

async fn apply(allocator: &Allocator, moves: Vec<Move>) -> Vec<Interval> {
    let nothing = |_: &[Interval]| Ok(Extra::default());
    allocator.apply(moves, nothing).await.unwrap().intervals
}
