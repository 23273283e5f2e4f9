//! Three etcd members on this machine, each a process with its own data directory.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use metal_storage::EtcdOptions;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Kills the member when the test process ends, however that happens: then its input ends. Removes
/// its folder too if nobody needs it any more.
const KEEPER: &str = r#"
dir=$1; remove=$2; shift 2
"$@" >>"$dir/log" 2>&1 &
echo $!
read _
kill -9 $!
wait
[ "$remove" = yes ] && rm -rf "$dir" && rmdir "${dir%/*}"
"#;

/// Whether members wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// As in production.
    Durable,
    /// For tests in which no member dies.
    Careless,
}

/// Where a member listens, in which network namespace, and where its data is if not beside that of
/// the others.
#[derive(Clone, Debug)]
pub struct Place {
    pub namespace: Option<String>,
    pub disk: Option<PathBuf>,
    pub client: (IpAddr, u16),
    pub peer: (IpAddr, u16),
}

pub struct Member {
    pub place: Place,
    command: Vec<String>,
    folder: PathBuf,
    remove: bool,
    process: Option<(Child, Pid)>,
}

pub struct Cluster {
    pub members: Vec<Member>,
    folder: PathBuf,
}

// === impl Place ===

impl Place {
    pub fn local() -> Self {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            namespace: None,
            disk: None,
            client: (host, free_port()),
            peer: (host, free_port()),
        }
    }

    pub fn client_address(&self) -> String {
        format!("{}:{}", self.client.0, self.client.1)
    }
}

// === impl Cluster ===

impl Cluster {
    pub fn start(disk: Disk) -> Self {
        Self::start_at(disk, (0..3).map(|_| Place::local()).collect(), &[])
    }

    /// Starts members at these places, with these arguments besides.
    pub fn start_at(disk: Disk, places: Vec<Place>, more: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("etcd-")
            .tempdir()
            .unwrap()
            .keep();
        let url = |(host, port): (IpAddr, u16)| format!("http://{host}:{port}");
        let tls = more.contains(&"--cert-file");
        let scheme = if tls { "https" } else { "http" };
        let all: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(i, place)| format!("m{i}={}", url(place.peer)))
            .collect();
        let mut members = Vec::new();
        for (i, place) in places.into_iter().enumerate() {
            let own = folder.join(format!("m{i}"));
            std::fs::create_dir(&own).unwrap();
            let client = format!("{scheme}://{}", place.client_address());
            let mut command: Vec<String> = match &place.namespace {
                Some(name) => ["ip", "netns", "exec", name].map(str::to_owned).to_vec(),
                None => Vec::new(),
            };
            let name = format!("m{i}");
            let home = place.disk.as_ref().unwrap_or(&own);
            let data = home.join("data").display().to_string();
            let (peer, all) = (url(place.peer), all.join(","));
            command.push(program());
            let args = [
                "--name",
                &name,
                "--data-dir",
                &data,
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
                "--initial-cluster",
                &all,
                "--initial-cluster-token",
                &folder.display().to_string(),
                "--logger",
                "zap",
                "--log-level",
                "error",
            ];
            command.extend(args.map(str::to_owned));
            if disk == Disk::Careless {
                command.push("--unsafe-no-fsync".into());
            }
            command.extend(more.iter().map(|arg| (*arg).to_owned()));
            members.push(Member {
                place,
                command,
                folder: own,
                remove: disk == Disk::Careless,
                process: None,
            });
        }
        let mut cluster = Self { members, folder };
        for member in &mut cluster.members {
            member.start();
        }
        cluster
    }

    /// Runs etcdctl on the cluster; what it prints.
    pub fn ctl(&self, args: &[&str]) -> String {
        let addresses: Vec<_> = self
            .members
            .iter()
            .map(|m| m.place.client_address())
            .collect();
        let output = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .arg("--command-timeout=20s")
            .arg(format!("--endpoints={}", addresses.join(",")))
            .args(args)
            .output()
            .expect("etcdctl is there: install Debian's package etcd-client");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "etcdctl {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn options(&self) -> EtcdOptions {
        EtcdOptions::new(self.members.iter().map(|m| m.place.client_address()))
    }

    /// The member that leads now, by number; waits for there to be one.
    pub fn leader(&self) -> usize {
        let addresses: Vec<_> = self
            .members
            .iter()
            .map(|m| m.place.client_address())
            .collect();
        for _ in 0..60 {
            let output = Command::new("etcdctl")
                .env("ETCDCTL_API", "3")
                .args(["--command-timeout=2s", "endpoint", "status", "-w", "json"])
                .arg(format!("--endpoints={}", addresses.join(",")))
                .output()
                .expect("etcdctl is there: install Debian's package etcd-client");
            let found: serde_json::Value =
                serde_json::from_slice(&output.stdout).unwrap_or_default();
            let leads = found.as_array().into_iter().flatten().find_map(|member| {
                let status = &member["Status"];
                let leads = status["leader"] == status["header"]["member_id"];
                leads.then(|| member["Endpoint"].as_str().unwrap().to_owned())
            });
            if let Some(address) = leads {
                return addresses.iter().position(|a| *a == address).unwrap();
            }
        }
        panic!("no member leads");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            member.kill();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

// === impl Member ===

impl Member {
    /// Starts it, again too, on what it had.
    pub fn start(&mut self) {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&self.folder)
            .arg(if self.remove { "yes" } else { "no" })
            .args(&self.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = keeper.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let pid = Pid::from_raw(line.trim().parse().unwrap());
        self.process = Some((keeper, pid));
    }

    /// Ends it at once, as a power cut does; it has let go of its port when this returns.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some((mut keeper, _)) = self.process.take() {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_none_or(|(_, pid)| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            // Its keeper has not looked yet.
            stat.is_ok_and(|stat| stat.contains(") Z "))
        })
    }

    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some((_, pid)) = &self.process {
            let _ = kill(*pid, signal);
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// Names the etcd that the tests run on, if not Debian's.
pub const PROGRAM: &str = "METAL_TEST_ETCD";

fn program() -> String {
    std::env::var(PROGRAM).unwrap_or_else(|_| "/usr/bin/etcd".into())
}

/// Says in one line what is missing.
pub fn require_etcd() {
    let program = program();
    assert!(
        Path::new(&program).exists(),
        "{program} is missing: install Debian's package etcd-server, or name another by {PROGRAM}"
    );
    assert!(
        Path::new("/usr/bin/etcdctl").exists(),
        "etcdctl is missing: install Debian's package etcd-client"
    );
}

/// A port below those that the kernel gives to clients, so that no connection takes it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap();
    let given = given.get_or_insert_default();
    let start = (std::process::id() % 9_000) as u16;
    loop {
        let port = 21_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 11_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}
