//! Leaves on loopback that do what they are told, and a speaker to try them on.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail like the test")]
#![allow(dead_code, reason = "every test takes the part that it needs")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use metal_bgp::{
    Announcement, Asn, Attributes, PeerConfig, PeerStatus, Speaker, SpeakerConfig, SpeakerStatus,
};
use socket2::{Domain, Socket, Type};

/// Only a bound against hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const OPEN: u8 = 1;
pub const UPDATE: u8 = 2;
pub const NOTIFICATION: u8 = 3;
pub const KEEPALIVE: u8 = 4;

/// The AS of every leaf.
pub const LEAF_ASN: u32 = 65_001;

/// The far end of one connection.
pub struct Leaf {
    pub stream: TcpStream,
    pub body: Vec<u8>,
}

// === impl Leaf ===

impl Leaf {
    pub fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        Self::on(stream)
    }

    /// Connects to a speaker that listens, from this address of loopback.
    pub fn connect(from: Ipv4Addr, to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&to.into()).unwrap();
        Self::on(socket.into())
    }

    pub fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            body: Vec::new(),
        }
    }

    /// Answers OPEN and KEEPALIVE as an old leaf does: AS 65001, hold time 90, no capabilities.
    pub fn establish(&mut self) {
        self.open(2);
        self.confirm();
    }

    /// Exchanges OPEN messages; `10.0.0.last` is the leaf's BGP identifier.
    pub fn open(&mut self, last: u8) {
        assert_eq!(self.try_hear(), Some(OPEN));
        self.say(OPEN, &[4, 0xFD, 0xE9, 0, 90, 10, 0, 0, last, 0]);
    }

    /// Exchanges the first KEEPALIVE messages.
    pub fn confirm(&mut self) {
        self.say(KEEPALIVE, &[]);
        assert_eq!(self.try_hear(), Some(KEEPALIVE));
    }

    pub fn say(&mut self, kind: u8, body: &[u8]) {
        let mut message = vec![0xFF; 16];
        message.extend((19 + body.len() as u16).to_be_bytes());
        message.push(kind);
        message.extend(body);
        self.stream.write_all(&message).unwrap();
    }

    /// The type of the next message, its body in `self.body`; nothing at the end.
    pub fn try_hear(&mut self) -> Option<u8> {
        let mut header = [0; 19];
        self.stream.read_exact(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
        self.body = vec![0; length - 19];
        self.stream.read_exact(&mut self.body).ok()?;
        Some(header[18])
    }

    /// The next message of another type than `kind`.
    pub fn hear_but(&mut self, kind: u8) -> u8 {
        loop {
            let heard = self.try_hear().expect("a message");
            if heard != kind {
                return heard;
            }
        }
    }
}

pub fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

pub fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().unwrap()
}

pub fn config(leaves: &[SocketAddr]) -> SpeakerConfig {
    let asn = |number: u32| Asn::try_from(number).unwrap();
    let peer = |leaf: &SocketAddr| {
        let mut peer = PeerConfig::new(leaf.ip(), asn(LEAF_ASN));
        peer.port = leaf.port();
        peer
    };
    let mut config = SpeakerConfig::new(asn(4_200_000_001), Ipv4Addr::new(10, 0, 0, 1));
    config.peers = leaves.iter().map(peer).collect();
    config
}

pub fn start(leaves: &[SocketAddr]) -> Speaker {
    Speaker::start(config(leaves)).unwrap()
}

pub fn announcement() -> Announcement {
    Announcement::new(["192.0.2.1/32".parse().unwrap()], Attributes::default()).unwrap()
}

/// Waits until the peers are as `what` wants them.
pub fn until(speaker: &Speaker, what: impl Fn(&[PeerStatus]) -> bool) -> SpeakerStatus {
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

pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let bounded = async { tokio::time::timeout(PATIENCE, future).await };
    runtime.unwrap().block_on(bounded).expect("in time")
}
