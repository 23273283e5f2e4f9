//! BFD against FRR's bfdd: the way to the leaf, its daemons and its operator.

mod inside;
#[path = "../../tests/lab/mod.rs"]
mod lab;

use std::time::{Duration, Instant};

use inside::{Inside, LEAF_ASN, PATIENCE, asn, peer};
use lab::{ANYCAST_V4, Lab, LeafConfig, Namespace};
use metal_bgp::{BfdConfig, BfdState, BfdStatus, PeerConfig, PeerState};
use nix::sys::signal::Signal;

/// Below the hold time of eight seconds with room for a slow machine: what BFD finds in 300 ms.
const AT_ONCE: Duration = Duration::from_secs(4);

fn leaf() -> LeafConfig {
    let mut config = LeafConfig::new(LEAF_ASN);
    config.bfd = true;
    config.extra = vec!["neighbor 10.99.0.1 bfd profile lab".to_owned()];
    config
}

fn bfd(peer: PeerConfig) -> PeerConfig {
    let mut peer = peer;
    peer.bfd = Some(BfdConfig {
        interval: Duration::from_millis(100),
        ..BfdConfig::default()
    });
    peer
}

fn start(lab: &Lab) -> Inside {
    Inside::start(&lab.node, bfd(peer(Lab::leaf_v4(0))))
}

/// Both sides bear with ten lost packets, so that a busy machine is no fault.
fn start_patient(lab: &Lab) -> Inside {
    lab.leaves[0].bfd(&["profile lab", "detect-multiplier 10"]);
    let mut peer = bfd(peer(Lab::leaf_v4(0)));
    peer.bfd.as_mut().expect("BFD is configured").multiplier = 10;
    let speaker = Inside::start(&lab.node, peer);
    speaker.established();
    speaker.detects_within(1000);
    speaker
}

// === impl Inside ===

impl Inside {
    fn bfd(&self) -> BfdStatus {
        self.peer().bfd.expect("BFD is configured")
    }

    /// Waits until BFD is up at the agreed rate.
    fn detects(&self) {
        self.detects_within(300);
    }

    /// The same at another rate, in milliseconds.
    fn detects_within(&self, detection: u64) {
        self.wait("BFD is up", |peer| {
            let up = |bfd: &BfdStatus| {
                let both = (bfd.state, bfd.remote_state);
                // Right after that the slow rate of before is still borne with.
                both == (BfdState::Up, BfdState::Up) && bfd.detection_time_ms == detection
            };
            peer.bfd.as_ref().is_some_and(up)
        });
    }

    /// Waits until the session is lost to BFD; how long that took.
    fn lost(&self, since: Instant) -> Duration {
        self.wait("the session is lost", |peer| {
            peer.state != PeerState::Established
        });
        let took = since.elapsed();
        self.error("BFD");
        took
    }
}

/// Drops everything that a namespace sends and receives, as a cable does that is cut somewhere on
/// its way.
fn cut(namespace: &Namespace) {
    let mut nft = namespace.command("nft");
    nft.arg(
        "table inet cut {
            chain in { type filter hook input priority 0; policy drop; }
            chain out { type filter hook output priority 0; policy drop; }
        }",
    );
    lab::run(&mut nft);
}

fn mend(namespace: &Namespace) {
    lab::run(
        namespace
            .command("nft")
            .args(["delete", "table", "inet", "cut"]),
    );
}

#[test]
fn a_silently_cut_link_ends_the_session_on_both_sides_at_once_and_comes_back() {
    let lab = Lab::new(&[leaf()]);
    let monitor = lab.leaves[0].monitor();
    let speaker = start(&lab);
    speaker.established();
    speaker.detects();
    let at = speaker.announce();
    monitor.added(ANYCAST_V4, at, PATIENCE);
    let status = speaker.bfd();
    assert_eq!(status.transmit_interval_ms, Some(100));
    assert_eq!(status.detection_time_ms, 300);

    let (at, start) = (lab::now(), Instant::now());
    cut(&lab.node);
    let took = speaker.lost(start);
    let gone = monitor.deleted(ANYCAST_V4, at, PATIENCE).at.since(at);
    println!(
        "link cut, BFD 100 ms x 3: session down after {} ms, route gone after {} ms",
        took.as_millis(),
        gone.as_millis()
    );
    assert!(took < AT_ONCE && gone < AT_ONCE, "{took:?} {gone:?}");
    assert_eq!(
        speaker.error("BFD"),
        "BFD: the way to 10.99.0.2 is down (control detection time expired)"
    );

    let at = lab::now();
    mend(&lab.node);
    speaker.established();
    monitor.added(ANYCAST_V4, at, PATIENCE);
}

#[test]
fn a_session_that_comes_up_has_the_agreed_detection_time_after_a_few_packets() {
    for _ in 0..3 {
        let lab = Lab::new(&[leaf()]);
        let speaker = start(&lab);
        let up = speaker.wait("BFD is up", |peer| {
            let bfd = peer.bfd.as_ref();
            bfd.is_some_and(|bfd| bfd.state == BfdState::Up)
        });
        let at = Instant::now();
        speaker.detects();
        // At the slow rate of before it would be seconds.
        let packets = speaker.bfd().received - up.bfd.expect("it was there").received;
        println!(
            "agreed after {packets} packets, {} ms",
            at.elapsed().as_millis()
        );
        assert!(packets <= 20, "{packets} packets");
    }
}

#[test]
fn a_leaf_that_hangs_is_left_at_once_and_not_tried_until_bfd_is_up_again() {
    let lab = Lab::new(&[leaf()]);
    let speaker = start(&lab);
    speaker.established();
    speaker.detects();
    let start = Instant::now();
    lab.leaves[0].signal(Signal::SIGSTOP);
    let took = speaker.lost(start);
    println!(
        "leaf hangs, BFD 100 ms x 3: session down after {} ms",
        took.as_millis()
    );
    assert!(took < AT_ONCE, "{took:?}");
    let error = speaker.error("waiting");
    assert_eq!(
        error,
        "BFD: the way to 10.99.0.2 is down (control detection time expired); waiting for BFD to \
         come up again"
    );
    let tries = speaker.peer().counters.connects;
    lab::eventually("a few more packets are sent", PATIENCE, || {
        (speaker.bfd().sent > 5).then_some(())
    });
    assert_eq!(speaker.peer().counters.connects, tries);
    lab.leaves[0].signal(Signal::SIGCONT);
    speaker.established();
}

#[test]
fn a_peer_that_changes_its_intervals_is_followed_without_a_flap() {
    let lab = Lab::new(&[leaf()]);
    let speaker = start_patient(&lab);
    for (interval, detection) in [(400, 4000), (60, 1000)] {
        lab.leaves[0].bfd(&[
            "profile lab",
            &format!("transmit-interval {interval}"),
            &format!("receive-interval {interval}"),
        ]);
        // The slower one of both counts.
        let slower = interval.max(100);
        speaker.wait("the rate is the new one", |peer| {
            let bfd = peer.bfd.as_ref().expect("BFD is configured");
            bfd.transmit_interval_ms == Some(slower) && bfd.detection_time_ms == detection
        });
    }
    let peer = speaker.peer();
    assert_eq!(peer.counters.flaps, 0, "{peer:#?}");
    assert_eq!(speaker.bfd().state, BfdState::Up);
    assert_eq!(speaker.peer().state, PeerState::Established);
}

#[test]
fn bfd_that_an_operator_switches_off_leaves_the_session_alone() {
    let lab = Lab::new(&[leaf()]);
    let speaker = start_patient(&lab);
    lab.leaves[0].bfd(&["profile lab", "shutdown"]);
    speaker.wait("the peer says so", |peer| {
        let bfd = peer.bfd.as_ref().expect("BFD is configured");
        bfd.remote_state == BfdState::AdminDown && bfd.state == BfdState::Down
    });
    lab.leaves[0].bfd(&["profile lab", "no shutdown"]);
    speaker.detects_within(1000);
    assert_eq!(speaker.peer().state, PeerState::Established);
    assert_eq!(speaker.peer().counters.flaps, 0);
}

#[test]
fn a_peer_without_bfd_has_its_session_all_the_same() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let speaker = start(&lab);
    speaker.established();
    let status = speaker.wait("packets are sent", |peer| {
        peer.bfd.as_ref().is_some_and(|bfd| bfd.sent > 2)
    });
    assert_eq!(status.state, PeerState::Established);
    assert_eq!(status.bfd.map(|bfd| bfd.state), Some(BfdState::Down));
}

#[test]
fn an_unnumbered_peer_has_bfd_too() {
    let mut config = leaf();
    config.unnumbered = true;
    config.extra = vec!["neighbor MACHINE bfd profile lab".to_owned()];
    let lab = Lab::new(&[config]);
    let peer = PeerConfig::unnumbered("leaf0".parse().expect("a name"), asn(LEAF_ASN));
    let speaker = Inside::start(&lab.node, bfd(peer));
    speaker.established();
    speaker.detects();
    let start = Instant::now();
    cut(&lab.node);
    let took = speaker.lost(start);
    assert!(took < AT_ONCE, "{took:?}");
    mend(&lab.node);
    speaker.established();
}

#[test]
fn a_packet_that_came_over_a_router_is_not_heard() {
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let speaker = start(&lab);
    speaker.wait("it listens", |peer| {
        peer.bfd.as_ref().is_some_and(|bfd| bfd.sent > 0)
    });
    // Down, 1 s x 3, from a discriminator of 9, to nobody's.
    let mut packet = [0; 24];
    packet[..8].copy_from_slice(&[0x20, 0x40, 3, 24, 0, 0, 0, 9]);
    packet[12..20].copy_from_slice(&[0, 0x0f, 0x42, 0x40, 0, 0x0f, 0x42, 0x40]);
    inside::within(&lab.leaves[0].namespace, move || {
        let socket = std::net::UdpSocket::bind((Lab::leaf_v4(0), 0)).expect("a socket");
        for ttl in [1, 64, 254, 255] {
            socket.set_ttl(ttl).expect("a TTL");
            let sent = socket.send_to(&packet, (Lab::node_v4(0), 3784));
            sent.expect("the packet is sent");
        }
    });
    let peer = speaker.wait("the last one is heard", |peer| {
        let heard = |bfd: &BfdStatus| bfd.state == BfdState::Init;
        peer.bfd.as_ref().is_some_and(heard)
    });
    assert_eq!(peer.bfd.map(|bfd| bfd.received), Some(1));
}

#[test]
fn another_bfd_daemon_on_this_node_is_named() {
    let lab = Lab::new(&[leaf()]);
    let first = start(&lab);
    first.detects();
    let second = start(&lab);
    let status = second.wait("the fault is shown", |peer| {
        peer.bfd.as_ref().is_some_and(|bfd| bfd.fault.is_some())
    });
    assert_eq!(
        status.bfd.and_then(|bfd| bfd.fault).as_deref(),
        Some("UDP port 3784 is taken: another BFD daemon runs on this node")
    );
}

/// BIRD in a namespace of its own, one link away from the laboratory's node. Killed, by its id,
/// when it is dropped.
struct Bird {
    process: std::process::Child,
    directory: tempfile::TempDir,
    namespace: Namespace,
}

// === impl Bird ===

impl Bird {
    fn start(lab: &Lab, multihop: bool) -> Self {
        let node = lab.node.name();
        let namespace = Namespace::new(&format!("{node}b"));
        namespace.ip(&[
            "link", "add", "up0", "type", "veth", "peer", "name", "bird0", "netns", node,
        ]);
        namespace.ip(&["addr", "add", "10.97.0.2/30", "dev", "up0"]);
        namespace.ip(&["link", "set", "up0", "up"]);
        lab.node
            .ip(&["addr", "add", "10.97.0.1/30", "dev", "bird0"]);
        lab.node.ip(&["link", "set", "bird0", "up"]);
        let directory = tempfile::tempdir().expect("a directory for BIRD");
        let (hops, section) = match multihop {
            false => ("direct", "interface \"up0\""),
            true => ("multihop 2", "multihop"),
        };
        let config = format!(
            "router id 10.97.0.2;
protocol device {{}}
protocol kernel {{ ipv4 {{ export all; }}; }}
protocol bfd {{ {section} {{ min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }}; }}
protocol bgp node {{
  local 10.97.0.2 as {LEAF_ASN};
  neighbor 10.97.0.1 as {};
  {hops}; bfd on; hold time 30; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export none; }};
}}
",
            inside::NODE_ASN
        );
        let file = directory.path().join("bird.conf");
        std::fs::write(&file, config).expect("the directory is writable");
        let process = namespace
            .command("bird")
            .arg("-f")
            .arg("-c")
            .arg(&file)
            .arg("-s")
            .arg(directory.path().join("bird.ctl"))
            .stdin(std::process::Stdio::null())
            .spawn()
            .expect("BIRD can be run (Debian package bird2)");
        Self {
            process,
            directory,
            namespace,
        }
    }

    fn tell(&self, command: &str) -> String {
        let mut birdc = self.namespace.command("birdc");
        let socket = self.directory.path().join("bird.ctl");
        lab::run(birdc.arg("-s").arg(socket).args(command.split(' ')))
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn bird_and_speaker(lab: &Lab, multihop: bool) -> (Bird, Inside) {
    let bird = Bird::start(lab, multihop);
    let mut peer = bfd(peer([10, 97, 0, 2]));
    if multihop {
        peer.ttl = metal_bgp::Ttl::Multihop(2);
        peer.bfd.as_mut().expect("BFD is configured").multihop = true;
    }
    let speaker = Inside::start(&lab.node, peer);
    speaker.established();
    speaker.detects();
    (bird, speaker)
}

#[test]
fn bird_is_up_is_cut_off_at_once_and_comes_back() {
    let lab = Lab::new(&[]);
    let (bird, speaker) = bird_and_speaker(&lab, false);
    let sessions = bird.tell("show bfd sessions");
    assert!(sessions.contains("Up"), "{sessions}");
    assert_eq!(speaker.bfd().detection_time_ms, 300);
    let start = Instant::now();
    cut(&bird.namespace);
    let took = speaker.lost(start);
    println!(
        "BIRD cut off, BFD 100 ms x 3: session down after {} ms",
        took.as_millis()
    );
    assert!(took < AT_ONCE, "{took:?}");
    mend(&bird.namespace);
    speaker.established();
}

#[test]
fn bird_over_several_hops_is_cut_off_at_once() {
    let lab = Lab::new(&[]);
    let (bird, speaker) = bird_and_speaker(&lab, true);
    let start = Instant::now();
    cut(&bird.namespace);
    let took = speaker.lost(start);
    assert!(took < AT_ONCE, "{took:?}");
}
