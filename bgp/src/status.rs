//! What an operator sees.

mod bfd;
mod board;
mod counters;
mod entry;
mod forwarding;
mod log;
mod routes;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

pub use bfd::BfdStatus;
pub(crate) use board::{Board, PeerId};
pub use counters::PeerCounters;
pub(crate) use entry::{Opened, Version};
pub use forwarding::ForwardingStatus;
pub use log::{LOG_LENGTH, LogEntry, LogEvent, PeerLog};
pub use routes::{AnnouncedRoute, PeerRoutes};

use crate::{Announcement, Asn, PeerAs};

/// The speaker at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SpeakerStatus {
    /// Our AS number.
    pub asn: Asn,
    /// Our BGP identifier.
    pub router_id: Ipv4Addr,
    /// Whether the speaker's thread lives.
    pub running: bool,
    /// False after [`Speaker::close`](crate::Speaker::close).
    pub open: bool,
    /// Whether something is announced, and if not, why.
    pub state: AnnouncementState,
    /// What every peer is told; `None` while nothing is announced.
    pub announcement: Option<Announcement>,
    /// Milliseconds until the announcement withdraws itself; `None` while nothing is announced.
    pub valid_for_ms: Option<u64>,
    /// How often an announcement was withdrawn because nobody renewed it.
    pub expirations: u64,
    /// How many accepted connections came from an address that is no peer's, or while their peer
    /// was closed; each was closed at once.
    pub refused: u64,
    /// One entry per configured peer, in the order of the configuration; with an external daemon,
    /// one per neighbour of it.
    pub peers: Vec<PeerStatus>,
    /// The external daemon that announces for us, if one does.
    pub daemon: Option<DaemonStatus>,
}

/// The connection to an external daemon at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DaemonStatus {
    /// Where its API is.
    pub address: String,
    /// What it speaks; `None` while it cannot be reached.
    pub api: Option<String>,
    /// Why it could not be brought to what is wanted, as one sentence; `None` while it is.
    pub last_error: Option<String>,
}

/// One peer at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerStatus {
    /// What the configuration calls it: its address, with the interface if it is link-local, or
    /// the interface alone.
    pub name: String,
    /// Its address: as configured, or where a peer that is known by its interface was found last.
    pub address: Option<IpAddr>,
    /// Its TCP port.
    pub port: u16,
    /// The AS that the configuration expects.
    pub asn: PeerAs,
    /// The AS of the peer, once both OPENs are exchanged.
    pub remote_asn: Option<u32>,
    /// State of the session (RFC 4271 section 8.2.2).
    pub state: PeerState,
    /// Seconds in this state.
    pub since_seconds: u64,
    /// Our end of the TCP connection, while there is one.
    pub local_address: Option<IpAddr>,
    /// The peer's BGP identifier, once it sent its OPEN.
    pub router_id: Option<Ipv4Addr>,
    /// The negotiated hold time in seconds (0: none), once both OPENs are exchanged.
    pub hold_time_seconds: Option<u16>,
    /// Prefixes that this peer was told and that were not withdrawn since.
    pub announced: Vec<IpNet>,
    /// Why some prefixes are kept from this peer, as one sentence.
    pub not_announced: Option<String>,
    /// What ended the last session or connection attempt, as one sentence. Stays until the next.
    pub last_error: Option<String>,
    /// Seconds since then.
    pub last_error_seconds: Option<u64>,
    /// Since the speaker was started.
    pub counters: PeerCounters,
    /// The BFD session with it, if one is configured.
    pub bfd: Option<BfdStatus>,
    /// Whether it sends here what it was told; `None` without a session, and where that is not
    /// looked at.
    pub forwarding: Option<ForwardingStatus>,
}

/// State of a session (RFC 4271 section 8.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum PeerState {
    /// Closed, or waiting after an error of the protocol.
    Idle,
    /// A TCP connection is being tried.
    Connect,
    /// Waiting for the next connection attempt.
    Active,
    /// OPEN was sent.
    OpenSent,
    /// Both OPENs were exchanged.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
}

/// Whether something is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AnnouncementState {
    /// Nothing was announced yet, or it was withdrawn on request.
    Withdrawn,
    /// Announced to every established peer.
    Announced,
    /// Withdrawn because nobody renewed it in time.
    Expired,
}

// === impl PeerStatus ===

impl PeerStatus {
    /// A peer of which nothing is known yet.
    pub(crate) fn idle(name: String, address: Option<IpAddr>, port: u16, asn: PeerAs) -> Self {
        Self {
            name,
            address,
            port,
            asn,
            remote_asn: None,
            state: PeerState::Idle,
            since_seconds: 0,
            local_address: None,
            router_id: None,
            hold_time_seconds: None,
            announced: Vec::new(),
            not_announced: None,
            last_error: None,
            last_error_seconds: None,
            counters: PeerCounters::default(),
            bfd: None,
            forwarding: None,
        }
    }
}

// === impl PeerState ===

impl PeerState {
    /// The name that RFC 4271 gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
        }
    }
}

impl fmt::Display for PeerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === impl AnnouncementState ===

impl fmt::Display for AnnouncementState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Withdrawn => "withdrawn",
            Self::Announced => "announced",
            Self::Expired => "expired",
        })
    }
}
