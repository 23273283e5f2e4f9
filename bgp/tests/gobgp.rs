//! Announcing through GoBGP: Debian's gobgpd of version 3, and version 4 where
//! `METAL_TEST_GOBGP4` names it or `tests/install.sh` has built it; a real leaf switch (FRR)
//! behind each.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../tests/lab/mod.rs"]
mod lab;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab::{ANYCAST_V4, ANYCAST_V6, Lab, LeafConfig, Process, RouteMonitor, eventually};
use metal_bgp::{
    Announcement, AnnouncementState, Attributes, Community, Daemon, DaemonAddress, DaemonConfig,
    PeerState, SpeakerConfig, withdraw_all,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);
const NODE_ASN: u32 = 4_200_000_001;
const LEAF_ASN: u32 = 4_210_000_001;
const LONG: Duration = Duration::from_secs(60);

/// gobgpd in the node's namespace, with the leaf as its neighbour.
struct Gobgp {
    program: PathBuf,
    directory: TempDir,
    process: Option<Process>,
}

// === impl Gobgp ===

impl Gobgp {
    fn start(lab: &Lab, program: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let leaf = Lab::leaf_v4(0);
        let toml = format!(
            "[global.config]\nas = {NODE_ASN}\nrouter-id = \"10.99.0.1\"\nport = -1\n\n\
             [[neighbors]]\n[neighbors.config]\nneighbor-address = \"{leaf}\"\npeer-as = {LEAF_ASN}\n\
             [neighbors.timers.config]\nconnect-retry = 1\nhold-time = 8\nkeepalive-interval = 2\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv4-unicast\"\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"ipv6-unicast\"\n"
        );
        std::fs::write(directory.path().join("gobgpd.toml"), toml).unwrap();
        let mut gobgp = Self {
            program: program.to_owned(),
            directory,
            process: None,
        };
        gobgp.run(lab);
        gobgp
    }

    fn run(&mut self, lab: &Lab) {
        let _ = std::fs::remove_file(self.socket());
        let mut command = lab.node.command(&self.program);
        command
            .arg("-f")
            .arg(self.directory.path().join("gobgpd.toml"))
            .arg(format!("--api-hosts=unix://{}", self.socket().display()))
            .args(["--log-level", "error"]);
        self.process = Some(Process::spawn(&mut command));
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal(nix::sys::signal::Signal::SIGKILL);
        }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("api.sock")
    }

    fn config(&self) -> DaemonConfig {
        config(&self.socket())
    }

    fn daemon(&self) -> Daemon {
        Daemon::start(own(), self.config()).unwrap()
    }
}

fn own() -> SpeakerConfig {
    SpeakerConfig::new(NODE_ASN.try_into().unwrap(), "10.99.0.1".parse().unwrap())
}

fn config(socket: &Path) -> DaemonConfig {
    DaemonConfig {
        address: DaemonAddress::Unix(socket.to_owned()),
        prefixes: vec![ANYCAST_V4.parse().unwrap(), ANYCAST_V6.parse().unwrap()],
        next_hop_v4: None,
        next_hop_v6: Some(Lab::node_v6(0)),
    }
}

/// Debian's, and one of version 4 where there is one.
fn programs() -> Vec<(&'static str, PathBuf)> {
    let debian = PathBuf::from("/usr/bin/gobgpd");
    assert!(
        debian.exists(),
        "gobgpd is missing: install Debian's package gobgpd"
    );
    let mut programs = vec![("GoBGP v3", debian)];
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let built = target.join("clients/bin/gobgpd4");
    match std::env::var_os("METAL_TEST_GOBGP4").map(PathBuf::from) {
        Some(named) => programs.push(("GoBGP v4", named)),
        None if built.exists() => programs.push(("GoBGP v4", built)),
        None => println!("skipped: no gobgpd of version 4, which needs Go to be built"),
    }
    programs
}

fn announcement(communities: &[Community]) -> Announcement {
    let prefixes = [ANYCAST_V4, ANYCAST_V6].map(|text| text.parse().unwrap());
    let attributes = Attributes::default()
        .with_med(77)
        .with_prepend(2)
        .unwrap()
        .with_communities(communities.iter().copied())
        .unwrap()
        .with_large_communities(["4200000001:1:2".parse().unwrap()])
        .unwrap();
    Announcement::new(prefixes, attributes).unwrap()
}

fn until() -> Instant {
    Instant::now() + LONG
}

fn added(monitor: &RouteMonitor, since: lab::Moment) {
    monitor.added(ANYCAST_V4, since, PATIENCE);
    monitor.added(ANYCAST_V6, since, PATIENCE);
}

fn deleted(monitor: &RouteMonitor, what: &str, since: lab::Moment) {
    let v4 = monitor.deleted(ANYCAST_V4, since, PATIENCE).at;
    let v6 = monitor.deleted(ANYCAST_V6, since, PATIENCE).at;
    let took = v4.max(v6).since(since).as_millis();
    println!("measured | {what} | {took} ms");
}

fn established(daemon: &Daemon) {
    eventually("the daemon's session", PATIENCE, || {
        let status = daemon.status();
        let up = |peer: &metal_bgp::PeerStatus| peer.state == PeerState::Established;
        status.peers.iter().any(up).then_some(())
    });
}

#[test]
fn a_daemon_announces_and_withdraws_for_us_and_restores_after_its_own_restart() {
    for (name, program) in programs() {
        let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
        let leaf = &lab.leaves[0];
        let monitor = leaf.monitor();
        let mut gobgp = Gobgp::start(&lab, &program);
        let daemon = gobgp.daemon();
        established(&daemon);
        let status = daemon.status();
        assert_eq!(status.daemon.unwrap().api.as_deref(), Some(name));
        assert_eq!(status.asn.to_string(), NODE_ASN.to_string());

        let at = lab::now();
        daemon.announce(announcement(&[]), until());
        added(&monitor, at);
        assert_eq!(leaf.path(ANYCAST_V4)["metric"], 77);
        let path = leaf.path(ANYCAST_V6);
        let prepended = [
            NODE_ASN.to_string(),
            NODE_ASN.to_string(),
            NODE_ASN.to_string(),
        ];
        assert_eq!(path["aspath"]["string"], prepended.join(" "));
        assert_eq!(path["largeCommunity"]["string"], "4200000001:1:2");

        daemon.announce(announcement(&[Community::GRACEFUL_SHUTDOWN]), until());
        eventually("the community arrives", PATIENCE, || {
            (leaf.path(ANYCAST_V6)["locPrf"] == 0).then_some(())
        });

        let at = lab::now();
        gobgp.kill();
        deleted(&monitor, &format!("{name} killed"), at);
        eventually("the status says that it is away", PATIENCE, || {
            let link = daemon.status().daemon.unwrap();
            (link.api.is_none() && link.last_error.is_some()).then_some(())
        });
        let at = lab::now();
        gobgp.run(&lab);
        added(&monitor, at);

        let at = lab::now();
        daemon.withdraw();
        deleted(&monitor, &format!("withdrawal through {name}"), at);

        let at = lab::now();
        daemon.announce(
            announcement(&[]),
            Instant::now() + Duration::from_millis(1500),
        );
        added(&monitor, at);
        deleted(
            &monitor,
            &format!("expiry after 1500 ms through {name}"),
            at,
        );
        assert_eq!(daemon.status().state, AnnouncementState::Expired);

        let at = lab::now();
        daemon.announce(announcement(&[]), until());
        added(&monitor, at);
        let at = lab::now();
        drop(daemon);
        deleted(&monitor, &format!("end of the process, {name}"), at);
    }
}

/// Not a test by itself: the process that the next one kills. It announces until then.
#[test]
fn announces_until_it_is_killed() {
    let Some(socket) = std::env::var_os("METAL_TEST_GOBGP_SOCKET") else {
        return;
    };
    let daemon = Daemon::start(own(), config(Path::new(&socket))).unwrap();
    daemon.announce(announcement(&[]), until());
    std::thread::park_timeout(LONG);
}

#[test]
fn what_a_killed_process_left_in_the_daemon_goes_with_the_next_one_or_with_a_call() {
    for (name, program) in programs() {
        let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
        let monitor = lab.leaves[0].monitor();
        let gobgp = Gobgp::start(&lab, &program);
        for by_call in [true, false] {
            let at = lab::now();
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command
                .args(["announces_until_it_is_killed", "--exact"])
                .env("METAL_TEST_GOBGP_SOCKET", gobgp.socket());
            let killed = Process::spawn(&mut command);
            added(&monitor, at);
            killed.signal(nix::sys::signal::Signal::SIGKILL);
            drop(killed);
            assert_ne!(
                lab.leaves[0].namespace.routes(ANYCAST_V4),
                "",
                "the daemon keeps it"
            );

            let at = lab::now();
            if by_call {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let gone = runtime.block_on(withdraw_all(&gobgp.config())).unwrap();
                assert_eq!(gone.len(), 2);
                deleted(&monitor, &format!("withdraw_all, {name}"), at);
            } else {
                let next = gobgp.daemon();
                deleted(&monitor, &format!("the next process, {name}"), at);
                drop(next);
            }
        }
    }
}

#[test]
fn a_daemon_that_is_not_there_or_is_no_daemon_shows_in_the_status() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("nobody.sock");
    let daemon = Daemon::start(own(), config(&socket)).unwrap();
    daemon.announce(announcement(&[]), until());
    let sentence = eventually("it says so", PATIENCE, || {
        daemon.status().daemon.unwrap().last_error
    });
    assert!(sentence.contains("nobody.sock"), "{sentence}");
    assert!(daemon.status().peers.is_empty());
}
