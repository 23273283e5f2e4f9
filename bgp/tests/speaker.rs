//! The speaker through its public interface, against leaves on loopback that do what real ones
//! should not.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use metal_bgp::{
    Announcement, Asn, PeerConfig, PeerState, PeerStatus, Speaker, SpeakerConfig, SpeakerStatus,
    StartError,
};

const PATIENCE: Duration = Duration::from_secs(10);
const KEEPALIVE: u8 = 4;
const NOTIFICATION: u8 = 3;
const UPDATE: u8 = 2;

#[test]
fn a_refused_connection_is_named_and_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let speaker = start(&[address]);
    let status = until(&speaker, |peers| peers[0].last_error.is_some());
    assert_eq!(
        status.peers[0].last_error.as_deref().unwrap(),
        format!(
            "connection refused: nothing listens on 127.0.0.1 port {}",
            address.port()
        )
    );
    // The leaf comes up later and is found without anybody's help.
    let mut leaf = Leaf::accept(&TcpListener::bind(address).unwrap());
    leaf.establish();
    let status = until(&speaker, |peers| peers[0].state == PeerState::Established);
    assert!(status.peers[0].counters.connects >= 2);
    assert_eq!(
        status.peers[0].local_address,
        Some(Ipv4Addr::LOCALHOST.into())
    );
    assert_eq!(status.peers[0].hold_time_seconds, Some(8));
}

#[test]
fn a_leaf_that_sends_garbage_does_not_touch_the_session_with_another() {
    let (first, second) = (listen(), listen());
    let speaker = start(&[address(&first), address(&second)]);
    let mut good = Leaf::accept(&second);
    good.establish();
    speaker.announce(announcement(), Instant::now() + PATIENCE * 10);
    assert_eq!(good.hear_but(KEEPALIVE), UPDATE);
    for _ in 0..3 {
        let mut bad = Leaf::accept(&first);
        bad.stream.write_all(&[0xAB; 4096]).unwrap();
        // Our OPEN, then what we think of it.
        assert_eq!(bad.hear_but(1), NOTIFICATION);
    }
    let status = until(&speaker, |peers| peers[0].counters.notifications_sent >= 3);
    let good = &status.peers[1];
    assert_eq!(good.state, PeerState::Established);
    assert_eq!((good.counters.flaps, good.counters.updates_sent), (0, 1));
    assert_eq!(good.announced, announcement().prefixes());
    assert!(
        status.peers[0]
            .last_error
            .as_deref()
            .unwrap()
            .contains("Not Synchronized")
    );
}

#[test]
fn an_announcement_ends_by_itself_while_its_owner_hangs() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    let until = Instant::now() + Duration::from_millis(300);
    speaker.announce(announcement(), until);
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    // This thread, the owner, does nothing for the speaker now but wait for the leaf's word.
    assert_eq!(leaf.hear_but(KEEPALIVE), UPDATE);
    let late = Instant::now().saturating_duration_since(until);
    assert!(
        Instant::now() >= until && late < Duration::from_secs(2),
        "{late:?}"
    );
    // Withdrawn routes: one /32.
    assert_eq!(leaf.body, [0, 5, 32, 192, 0, 2, 1, 0, 0]);
    assert_eq!(speaker.status().expirations, 1);
    assert_eq!(speaker.status().peers[0].state, PeerState::Established);
}

#[test]
fn close_reaches_every_leaf_and_opening_at_once_loses_nobody() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    let closed = speaker.close("maintenance of plant 7");
    assert_eq!(leaf.hear_but(KEEPALIVE), NOTIFICATION);
    assert_eq!(leaf.body[..3], [6, 2, 22]);
    assert_eq!(&leaf.body[3..], b"maintenance of plant 7");
    drop(leaf);
    block_on(closed);
    let status = speaker.status();
    assert!(!status.open);
    assert_eq!(status.peers[0].state, PeerState::Idle);

    speaker.open();
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    // Faster than the session can follow: every future is ready all the same.
    let futures: Vec<_> = (0..20)
        .map(|_| {
            let closed = speaker.close("again");
            speaker.open();
            closed
        })
        .collect();
    std::thread::spawn(move || while leaf.try_hear().is_some() {});
    futures.into_iter().for_each(block_on);
    assert!(speaker.status().open);
}

#[test]
fn closing_a_speaker_whose_leaf_never_answers_is_bounded() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let silent = Leaf::accept(&listener);
    until(&speaker, |peers| peers[0].state == PeerState::OpenSent);
    let began = Instant::now();
    block_on(speaker.close("bye"));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    drop(silent);
}

#[test]
fn dropping_the_speaker_sends_cease_and_ends_its_thread() {
    let listener = listen();
    let speaker = start(&[address(&listener)]);
    let mut leaf = Leaf::accept(&listener);
    leaf.establish();
    until(&speaker, |peers| peers[0].state == PeerState::Established);
    let reader = std::thread::spawn(move || {
        let heard = leaf.hear_but(KEEPALIVE);
        (heard, leaf.body[..2].to_vec())
    });
    let began = Instant::now();
    drop(speaker);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(reader.join().unwrap(), (NOTIFICATION, vec![6, 2]));
}

#[test]
fn a_wrong_configuration_starts_nothing_and_names_its_field() {
    let mut config = config(&[]);
    config.router_id = Ipv4Addr::UNSPECIFIED;
    match Speaker::start(config) {
        Err(StartError::Config(error)) => assert_eq!(error.field(), "router-id"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_speaker_without_peers_runs_and_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let speaker = start(&[]);
    shared(&speaker);
    speaker.announce(announcement(), Instant::now() + PATIENCE);
    until(&speaker, |_| true);
    block_on(speaker.close("nobody"));
    assert!(speaker.status().running);
    let json = serde_json::to_value(speaker.status()).unwrap();
    assert_eq!(json["asn"], 4_200_000_001_u32);
    assert_eq!(json["open"], false);
}

/// The far end of one connection.
struct Leaf {
    stream: TcpStream,
    body: Vec<u8>,
}

// === impl Leaf ===

impl Leaf {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            body: Vec::new(),
        }
    }

    /// Answers OPEN and KEEPALIVE as an old leaf does: AS 65001, hold time 90, no capabilities.
    fn establish(&mut self) {
        assert_eq!(self.try_hear(), Some(1), "OPEN");
        let open = [4, 0xFD, 0xE9, 0, 90, 10, 0, 0, 2, 0];
        self.say(1, &open);
        self.say(KEEPALIVE, &[]);
        assert_eq!(self.try_hear(), Some(KEEPALIVE));
    }

    fn say(&mut self, kind: u8, body: &[u8]) {
        let mut message = vec![0xFF; 16];
        message.extend((19 + body.len() as u16).to_be_bytes());
        message.push(kind);
        message.extend(body);
        self.stream.write_all(&message).unwrap();
    }

    /// The type of the next message, its body in `self.body`; nothing at the end.
    fn try_hear(&mut self) -> Option<u8> {
        let mut header = [0; 19];
        self.stream.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
        self.body = vec![0; length - 19];
        self.stream.read_exact(&mut self.body).ok()?;
        Some(header[18])
    }

    /// The next message of another type than `kind`.
    fn hear_but(&mut self, kind: u8) -> u8 {
        loop {
            let heard = self.try_hear().expect("a message within ten seconds");
            if heard != kind {
                return heard;
            }
        }
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().unwrap()
}

fn config(leaves: &[SocketAddr]) -> SpeakerConfig {
    let asn = |number: u32| Asn::try_from(number).unwrap();
    let peer = |leaf: &SocketAddr| {
        let mut peer = PeerConfig::new(leaf.ip(), asn(65_001));
        peer.port = leaf.port();
        peer
    };
    SpeakerConfig {
        asn: asn(4_200_000_001),
        router_id: Ipv4Addr::new(10, 0, 0, 1),
        peers: leaves.iter().map(peer).collect(),
    }
}

fn start(leaves: &[SocketAddr]) -> Speaker {
    Speaker::start(config(leaves)).unwrap()
}

fn announcement() -> Announcement {
    Announcement::new(["192.0.2.1/32".parse().unwrap()], None, []).unwrap()
}

/// Waits until the peers are as `what` wants them.
fn until(speaker: &Speaker, what: impl Fn(&[PeerStatus]) -> bool) -> SpeakerStatus {
    let mut ticks = speaker.subscribe();
    block_on(async {
        loop {
            let status = speaker.status();
            if what(&status.peers) {
                return status;
            }
            ticks.changed().await.unwrap();
        }
    })
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let bounded = async { tokio::time::timeout(PATIENCE, future).await };
    runtime
        .unwrap()
        .block_on(bounded)
        .expect("within ten seconds")
}
