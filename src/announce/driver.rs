//! Who speaks BGP: this process, or a daemon beside it.

use std::net::SocketAddr;
use std::time::Instant;

use metal_bgp::{Announcement, Daemon, PeerLog, PeerRoutes, Speaker, SpeakerStatus};

/// Tells the leaf switches, with sessions of its own or through an external daemon.
#[derive(Debug)]
pub enum Driver {
    /// Own sessions.
    Own(Speaker),
    /// The sessions of a daemon (`bgp.driver = "gobgp"`).
    Daemon(Daemon),
}

// === impl Driver ===

impl Driver {
    /// Announces until `valid_until`, and withdraws then unless called again.
    pub fn announce(&self, announcement: Announcement, valid_until: Instant) {
        match self {
            Self::Own(speaker) => speaker.announce(announcement, valid_until),
            Self::Daemon(daemon) => daemon.announce(announcement, valid_until),
        }
    }

    /// Withdraws everything; the sessions stay.
    pub fn withdraw(&self) {
        match self {
            Self::Own(speaker) => speaker.withdraw(),
            Self::Daemon(daemon) => daemon.withdraw(),
        }
    }

    /// Where connections of peers are taken now.
    pub fn listening(&self) -> Vec<SocketAddr> {
        match self {
            Self::Own(speaker) => speaker.listening(),
            Self::Daemon(_) => Vec::new(),
        }
    }

    /// As of now.
    pub fn status(&self) -> SpeakerStatus {
        match self {
            Self::Own(speaker) => speaker.status(),
            Self::Daemon(daemon) => daemon.status(),
        }
    }

    /// What each peer of our own sessions was told; nothing through a daemon, which knows it.
    pub fn routes(&self) -> Vec<PeerRoutes> {
        match self {
            Self::Own(speaker) => speaker.routes(),
            Self::Daemon(_) => Vec::new(),
        }
    }

    /// What happened with our own sessions lately.
    pub fn logs(&self) -> Vec<PeerLog> {
        match self {
            Self::Own(speaker) => speaker.logs(),
            Self::Daemon(_) => Vec::new(),
        }
    }

    /// Withdraws, and closes the sessions where they are our own, with `message` (RFC 9003).
    /// Ready when the peers or the daemon have it, within a few seconds.
    pub async fn close(&self, message: &str) {
        match self {
            Self::Own(speaker) => speaker.close(message).await,
            Self::Daemon(daemon) => daemon.close().await,
        }
    }

    /// Comes back after [`Driver::close`].
    pub fn open(&self) {
        match self {
            Self::Own(speaker) => speaker.open(),
            Self::Daemon(daemon) => daemon.open(),
        }
    }
}
