//! A speaker of this very process that lives in a namespace of the laboratory.
#![allow(dead_code, reason = "every test takes the part that it needs")]

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use metal_bgp::{
    Announcement, Asn, Attributes, PeerConfig, PeerState, PeerStatus, Speaker, SpeakerConfig,
};
use nix::sched::{CloneFlags, setns};

use crate::lab::{ANYCAST_V4, ANYCAST_V6, Moment, Namespace, eventually, now};

pub const NODE_ASN: u32 = 4_200_000_001;
pub const LEAF_ASN: u32 = 4_210_000_001;
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A speaker, with one peer in most tests.
pub struct Inside(pub Speaker);

pub fn asn(number: u32) -> Asn {
    number.try_into().expect("a usable AS number")
}

/// A peer in the leaf's AS.
pub fn peer(address: impl Into<std::net::IpAddr>) -> PeerConfig {
    PeerConfig::new(address.into(), asn(LEAF_ASN))
}

/// A speaker with these peers.
pub fn config(peers: Vec<PeerConfig>) -> SpeakerConfig {
    let router_id = "10.0.0.1".parse().expect("an address");
    let mut config = SpeakerConfig::new(asn(NODE_ASN), router_id);
    config.peers = peers;
    config
}

/// Does `what` on a thread in `namespace`.
pub fn within<T: Send + 'static>(
    namespace: &Namespace,
    what: impl FnOnce() -> T + Send + 'static,
) -> T {
    let file = File::open(Path::new("/run/netns").join(namespace.name()));
    let file = file.expect("ip keeps namespaces there");
    let inside = std::thread::spawn(move || {
        setns(file, CloneFlags::CLONE_NEWNET).expect("root may enter a namespace");
        what()
    });
    inside.join().expect("the thread lives")
}

// === impl Inside ===

impl Inside {
    /// Starts a speaker with one peer in `namespace`.
    pub fn start(namespace: &Namespace, peer: PeerConfig) -> Self {
        Self::start_all(namespace, vec![peer])
    }

    /// Starts a speaker in `namespace`: its thread stays where the one that started it was.
    pub fn start_all(namespace: &Namespace, peers: Vec<PeerConfig>) -> Self {
        within(namespace, move || Self::here(peers))
    }

    /// Starts a speaker where this thread is.
    pub fn here(peers: Vec<PeerConfig>) -> Self {
        Self::with(config(peers))
    }

    /// The same with a whole configuration.
    pub fn with(config: SpeakerConfig) -> Self {
        Self(Speaker::start(config).expect("the configuration is right"))
    }

    /// Announces the anycast addresses; the moment before.
    pub fn announce(&self) -> Moment {
        let at = now();
        let prefixes = [ANYCAST_V4, ANYCAST_V6].map(|p| p.parse().expect("a prefix"));
        let announcement =
            Announcement::new(prefixes, Attributes::default()).expect("two prefixes");
        let until = Instant::now() + Duration::from_secs(3600);
        self.0.announce(announcement, until);
        at
    }

    pub fn peer(&self) -> PeerStatus {
        self.0.status().peers[0].clone()
    }

    /// Waits until the session is established.
    pub fn established(&self) {
        self.wait("the session is established", |peer| {
            peer.state == PeerState::Established
        });
    }

    /// Waits until the status of the peer is as `wanted`; panics with the last one.
    pub fn wait(&self, what: &str, wanted: impl Fn(&PeerStatus) -> bool) -> PeerStatus {
        let end = Instant::now() + PATIENCE;
        eventually(what, 2 * PATIENCE, || {
            let peer = self.peer();
            let done = wanted(&peer);
            assert!(
                done || Instant::now() < end,
                "not in time: {what}: {peer:#?}"
            );
            done.then_some(peer)
        })
    }

    /// Waits for an error with `part` in it; the whole sentence.
    pub fn error(&self, part: &str) -> String {
        let has = |peer: &PeerStatus| {
            let error = peer.last_error.as_deref();
            error.is_some_and(|error| error.contains(part))
        };
        let peer = self.wait(&format!("an error with {part:?}"), has);
        peer.last_error.expect("it was there")
    }
}
