//! What goes wrong.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::postgres::{PASSWORD, Postgres, USER};
use crate::proxy::{Engine, Fault, Faults, Point, Proxy};

/// A server that can fail in one way.
pub trait Failpoint {
    fn name(&self) -> &'static str;

    /// Whether clients must have been told that commits did not happen, or perhaps not.
    fn is_felt(&self) -> bool {
        true
    }

    /// Starts the server; gives the URL of a new database.
    async fn start(&mut self) -> String;

    /// Breaks it, for some time.
    async fn strike(&mut self);

    /// Ends what broke it.
    async fn heal(&mut self);
}

/// Longer than a group of commits is tried, so that some are refused.
const OUTAGE: Duration = Duration::from_secs(4);

/// The server, and all of its processes with it, is killed.
#[derive(Default)]
pub struct Crash(Option<Postgres>);

/// The server, and all of its processes with it, is stopped and goes on later.
#[derive(Default)]
pub struct Pause(Option<Postgres>);

/// Every connection ends, and no new one is made for some time.
#[derive(Default)]
pub struct Cut(Option<(Postgres, Proxy)>);

/// Many connections end around a COMMIT.
#[derive(Default)]
pub struct Flood(Option<(Postgres, Proxy)>);

/// There is no room left for the server's files.
pub struct FullDisk {
    server: Option<Postgres>,
    disk: Disk,
}

/// A small disk in memory. A shell stands between: when this process ends, however that happens,
/// it takes the disk away.
struct Disk {
    dir: TempDir,
    shell: Child,
}

fn begin(settings: &[&str]) -> (Postgres, String) {
    let server = Postgres::with(settings);
    let url = server.create_database("faults");
    (server, url)
}

async fn behind_proxy(server: &Postgres) -> (Proxy, String) {
    let upstream = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let proxy = Proxy::start(upstream, Engine::Postgres, Faults::none());
    let proxy = proxy.await.unwrap();
    let url = format!("postgres://{USER}:{PASSWORD}@{}/faults", proxy.address());
    (proxy, url)
}

/// Sends a signal to a server and to every process that it has started.
fn signal(server: &Postgres, signal: &str) {
    let parent = server.pid();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let own = parent.to_string();
    let all = std::iter::once(own.as_str()).chain(children.split_whitespace());
    // A child may have ended by itself.
    let sent = Command::new("kill").args(["-s", signal]).args(all).output();
    sent.unwrap();
}

// === impl Crash ===

impl Failpoint for Crash {
    fn name(&self) -> &'static str {
        "kill -9 of PostgreSQL"
    }

    async fn start(&mut self) -> String {
        let (server, url) = begin(&["fsync=off"]);
        self.0 = Some(server);
        url
    }

    async fn strike(&mut self) {
        signal(self.0.as_ref().unwrap(), "KILL");
        tokio::time::sleep(OUTAGE).await;
    }

    async fn heal(&mut self) {
        let mut server = self.0.take().unwrap();
        let run = move || {
            server.run();
            server
        };
        self.0 = Some(tokio::task::spawn_blocking(run).await.unwrap());
    }
}

// === impl Pause ===

impl Failpoint for Pause {
    fn name(&self) -> &'static str {
        "pause of PostgreSQL"
    }

    async fn start(&mut self) -> String {
        let (server, url) = begin(&["fsync=off"]);
        self.0 = Some(server);
        url
    }

    async fn strike(&mut self) {
        signal(self.0.as_ref().unwrap(), "STOP");
        tokio::time::sleep(OUTAGE * 2).await;
    }

    async fn heal(&mut self) {
        signal(self.0.as_ref().unwrap(), "CONT");
    }
}

// A stopped server would not end.
impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(server) = &self.0 {
            signal(server, "CONT");
        }
    }
}

// === impl Cut ===

impl Failpoint for Cut {
    fn name(&self) -> &'static str {
        "cut from PostgreSQL"
    }

    async fn start(&mut self) -> String {
        let (server, _) = begin(&["fsync=off"]);
        let (proxy, url) = behind_proxy(&server).await;
        self.0 = Some((server, proxy));
        url
    }

    async fn strike(&mut self) {
        self.0.as_ref().unwrap().1.cut();
        tokio::time::sleep(OUTAGE).await;
    }

    async fn heal(&mut self) {
        self.0.as_ref().unwrap().1.mend();
    }
}

// === impl Flood ===

impl Failpoint for Flood {
    fn name(&self) -> &'static str {
        "cuts around COMMIT"
    }

    // The store finds out by itself what became of them.
    fn is_felt(&self) -> bool {
        false
    }

    async fn start(&mut self) -> String {
        let (server, _) = begin(&["fsync=off"]);
        let (proxy, url) = behind_proxy(&server).await;
        self.0 = Some((server, proxy));
        url
    }

    async fn strike(&mut self) {
        let faults = Faults::one(Faults::seed(), Point::Commit, Fault::CutBefore, 0.15)
            .and(Point::Commit, Fault::CutAtOnce, 0.15)
            .and(Point::Commit, Fault::CutAfter, 0.15)
            .and(Point::Statement, Fault::CutAfter, 0.02);
        let proxy = &self.0.as_ref().unwrap().1;
        proxy.set(faults);
        tokio::time::sleep(OUTAGE).await;
        assert!(proxy.report().count(Fault::CutAfter) > 0);
    }

    async fn heal(&mut self) {
        self.0.as_ref().unwrap().1.set(Faults::none());
    }
}

// === impl FullDisk ===

impl FullDisk {
    /// `None`, and a line that says so, where this user may not mount one.
    pub fn mount() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let script = "mount -t tmpfs -o size=160m,mode=1777 none \"$1\" && echo mounted
read -r line
umount -l \"$1\"";
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(shell.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        let disk = Disk { dir, shell };
        if said.trim() != "mounted" {
            writeln!(
                io::stderr(),
                "skipped: a full disk needs root, who may mount one"
            )
            .ok();
            return None;
        }
        Some(Self { server: None, disk })
    }
}

impl Failpoint for FullDisk {
    fn name(&self) -> &'static str {
        "full disk of PostgreSQL"
    }

    async fn start(&mut self) -> String {
        let settings = ["fsync=off", "max_wal_size=32MB", "min_wal_size=32MB"];
        let server = Postgres::within(self.disk.dir.path(), &settings);
        let url = server.create_database("faults");
        self.server = Some(server);
        url
    }

    async fn strike(&mut self) {
        let mut filler = File::create(self.disk.dir.path().join("filler")).unwrap();
        let block = vec![1; 64 * 1024];
        while filler.write_all(&block).is_ok() {}
        tokio::time::sleep(OUTAGE).await;
    }

    async fn heal(&mut self) {
        fs::remove_file(self.disk.dir.path().join("filler")).unwrap();
        let mut server = self.server.take().unwrap();
        for _ in 0..100 {
            if server.is_ready() {
                break;
            }
            tokio::time::sleep(OUTAGE / 80).await;
        }
        // It has given up, as it does if it finds no room when it starts again by itself; what
        // keeps services starts it then.
        let run = move || {
            if !server.is_ready() {
                server.run();
            }
            server
        };
        self.server = Some(tokio::task::spawn_blocking(run).await.unwrap());
    }
}

// The server's files go before their disk does.
impl Drop for FullDisk {
    fn drop(&mut self) {
        self.server = None;
    }
}

// === impl Disk ===

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
    }
}
