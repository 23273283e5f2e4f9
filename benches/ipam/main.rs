//! Pools beside go-ipam, on the same PostgreSQL and in memory, in the same run.
//!
//! A client acquires and releases, again and again, so that the fill stays; what is counted is how
//! many such pairs all clients make in a second, and how long the acquire took. What is taken
//! before is spread at random. Everything that was acknowledged is on the disk, but in memory.
//! `cargo bench --bench ipam`; go-ipam takes part where there is Go.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `METAL_BENCH_SECONDS` | of each figure | 3 |
#![allow(clippy::unwrap_used, reason = "a program that measures")]

mod case;
mod engine;
mod goipam;
mod ours;
mod outcome;
#[path = "../../storage/tests/support/postgres.rs"]
mod postgres;

use std::time::Duration;

use case::{Case, Kind};
use engine::Engine;
use goipam::GoIpam;
use ours::Bench;
use outcome::written;
use postgres::Postgres;

/// Addresses of a /16 that are taken before; the last are 99 % of those that can be.
const FILLS: [usize; 5] = [0, 1_000, 10_000, 60_000, 64_878];
const CLIENTS: [usize; 2] = [1, 16];
/// Prefixes that are there before.
const PREFIXES: usize = 1_000;

/// Who is measured.
struct Contest {
    go: Option<GoIpam>,
    server: Postgres,
    seconds: Duration,
}

#[tokio::main]
async fn main() {
    let seconds = match std::env::var("METAL_BENCH_SECONDS") {
        Ok(text) => text.parse().expect("METAL_BENCH_SECONDS is a number"),
        Err(_) => 3,
    };
    let server = Postgres::with(&["max_wal_size=4GB"]);
    server.create_database("go");
    let contest = Contest {
        go: GoIpam::build(),
        server,
        seconds: Duration::from_secs(seconds),
    };
    let fills = FILLS.into_iter().map(|fill| Case {
        kind: Kind::Address,
        taken: fill,
    });
    let children = [(8, 14, 0), (8, 24, 0), (16, 26, 0), (16, 26, 1_000)];
    let children = children.into_iter().map(|(parent, length, taken)| Case {
        kind: Kind::Child { parent, length },
        taken,
    });
    let prefixes = Case {
        kind: Kind::Prefix,
        taken: PREFIXES,
    };
    for case in fills.chain(children).chain([prefixes]) {
        contest.run(&case).await;
    }
}

// === impl Contest ===

impl Contest {
    async fn run(&self, case: &Case) {
        let mut ours = Vec::new();
        for engine in [Engine::Postgres, Engine::Redb, Engine::Memory] {
            let opened = engine.open(&self.server).await;
            let bench = Bench::prepare(case, opened.store()).await;
            ours.push((engine, bench, opened));
        }
        for clients in CLIENTS {
            println!("\n{case}, {clients} clients");
            let mut rates = Vec::new();
            for (engine, bench, _) in &ours {
                let before = written(&self.server);
                let outcome = bench.run(clients, self.seconds).await;
                let outcome = match engine {
                    Engine::Postgres => outcome.with_bytes(written(&self.server) - before),
                    Engine::Redb | Engine::Memory => outcome,
                };
                outcome.print(engine.name());
                rates.push(outcome.rate());
            }
            let Some(go) = &self.go else { continue };
            let sql = go.run(case, clients, self.seconds, Some(&self.server));
            sql.print("go-ipam, PostgreSQL");
            let memory = go.run(case, clients, self.seconds, None);
            memory.print("go-ipam, memory");
            println!(
                "  times go-ipam: PostgreSQL {:.1}, redb to its PostgreSQL {:.1}, memory {:.2}",
                rates[0] / sql.rate(),
                rates[1] / sql.rate(),
                rates[2] / memory.rate(),
            );
        }
    }
}
