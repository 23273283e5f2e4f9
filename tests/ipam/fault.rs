//! Stores that fail.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::{Etcd, EtcdOptions, Sql, SqlOptions, Store};

use crate::cluster::{Cluster, Disk, require_etcd};
use crate::lease::SCHEMAS;
use crate::postgres::{PASSWORD, Postgres, USER};
use crate::proxy::{self, Engine, Fault, Point, Proxy};

/// Longer than it takes to connect, against hanging.
const HANG: Duration = Duration::from_secs(60);

/// A server, or several, that fail.
pub trait Faults {
    /// For the report.
    const NAME: &'static str;

    /// Connects a node.
    fn connect(&self) -> impl Future<Output = Arc<dyn Store>> + Send + 'static;

    /// Breaks it, for some time.
    async fn strike(&mut self);

    /// Ends what broke it.
    async fn heal(&mut self);

    /// From now on nothing fails.
    fn end(&mut self);
}

/// A PostgreSQL that answers 40001 and whose connections end around a COMMIT, all the time; it is
/// killed, and cut off.
pub struct FlakyServer {
    server: Option<Postgres>,
    proxy: Proxy,
}

/// An etcd of three members of which the leader dies, and then another.
pub struct DyingMembers {
    cluster: Cluster,
    dead: Option<usize>,
    deaths: usize,
}

// === impl FlakyServer ===

impl FlakyServer {
    pub async fn start() -> Self {
        let server = Postgres::start();
        server.create_database("pools");
        let upstream = SocketAddr::from(([127, 0, 0, 1], server.port()));
        let proxy = Proxy::start(upstream, Engine::Postgres, proxy::Faults::none());
        let flaky = Self {
            server: Some(server),
            proxy: proxy.await.unwrap(),
        };
        // The tables are made in peace.
        drop(flaky.connect().await);
        let faults = proxy::Faults::one(proxy::Faults::seed(), Point::Commit, Fault::Retry, 0.05)
            .and(Point::Commit, Fault::CutBefore, 0.005)
            .and(Point::Commit, Fault::CutAtOnce, 0.005)
            .and(Point::Commit, Fault::CutAfter, 0.005)
            .and(Point::Statement, Fault::Retry, 0.01)
            .and(Point::Statement, Fault::CutAfter, 0.001);
        flaky.proxy.set(faults);
        flaky
    }
}

impl Faults for FlakyServer {
    const NAME: &'static str = "PostgreSQL";

    fn connect(&self) -> impl Future<Output = Arc<dyn Store>> + Send + 'static {
        let address = self.proxy.address();
        let url = format!("postgres://{USER}:{PASSWORD}@{address}/pools");
        let mut options = SqlOptions::new(&url).unwrap();
        options.connections = 8;
        options.connect_wait = Duration::from_secs(2);
        options.statement_wait = Duration::from_secs(2);
        options.retry_wait = Duration::from_secs(3);
        options.commit_wait = Duration::from_secs(5);
        options.history_revisions = 1_000_000;
        async move {
            let begun = Instant::now();
            loop {
                match Sql::connect(options.clone(), SCHEMAS).await {
                    Ok(store) => return Arc::new(store) as Arc<dyn Store>,
                    Err(error) => assert!(begun.elapsed() < HANG, "{error}"),
                }
            }
        }
    }

    async fn strike(&mut self) {
        let server = self.server.as_ref().expect("it runs");
        let parent = server.pid();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let own = parent.to_string();
        let all = std::iter::once(own.as_str()).chain(children.split_whitespace());
        // A child may have ended by itself.
        Command::new("kill")
            .args(["-s", "KILL"])
            .args(all)
            .output()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    async fn heal(&mut self) {
        let mut server = self.server.take().expect("it ran");
        let run = move || {
            server.run();
            server
        };
        self.server = Some(tokio::task::spawn_blocking(run).await.unwrap());
        self.proxy.cut();
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.proxy.mend();
    }

    fn end(&mut self) {
        self.proxy.set(proxy::Faults::none());
        let report = self.proxy.report();
        assert!(report.count(Fault::Retry) > 0 && report.count(Fault::CutAfter) > 0);
    }
}

// === impl DyingMembers ===

impl DyingMembers {
    pub async fn start() -> Self {
        require_etcd();
        Self {
            cluster: Cluster::start(Disk::Durable),
            dead: None,
            deaths: 0,
        }
    }
}

impl Faults for DyingMembers {
    const NAME: &'static str = "etcd";

    fn connect(&self) -> impl Future<Output = Arc<dyn Store>> + Send + 'static {
        let options = EtcdOptions {
            history_revisions: 1_000_000,
            ..self.cluster.options()
        };
        async move {
            let begun = Instant::now();
            loop {
                match Etcd::connect(options.clone(), SCHEMAS).await {
                    Ok(store) => return Arc::new(store) as Arc<dyn Store>,
                    Err(error) => assert!(begun.elapsed() < HANG, "{error}"),
                }
            }
        }
    }

    async fn strike(&mut self) {
        let leader = self.cluster.leader();
        let victim = (leader + self.deaths) % self.cluster.members.len();
        self.cluster.members[victim].kill();
        self.dead = Some(victim);
        self.deaths += 1;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    async fn heal(&mut self) {
        if let Some(dead) = self.dead.take() {
            self.cluster.members[dead].start();
        }
    }

    fn end(&mut self) {}
}
