//! What an operator sees.

mod board;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

pub(crate) use board::Board;

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
    /// One entry per configured peer, in the order of the configuration.
    pub peers: Vec<PeerStatus>,
}

/// One peer at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerStatus {
    /// Its address.
    pub address: IpAddr,
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
}

/// What happened with one peer since the speaker was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerCounters {
    /// Connection attempts.
    pub connects: u64,
    /// Sessions that reached Established.
    pub established: u64,
    /// Established sessions that were lost, other than by closing the speaker.
    pub flaps: u64,
    /// UPDATE messages sent.
    pub updates_sent: u64,
    /// UPDATE messages received; their routes are counted and dropped.
    pub updates_received: u64,
    /// Prefixes in them; a prefix sent twice counts twice.
    pub prefixes_received: u64,
    /// Received UPDATE messages with errors that RFC 7606 lets the session survive.
    pub updates_malformed: u64,
    /// ROUTE-REFRESH messages received (RFC 2918).
    pub refreshes_received: u64,
    /// NOTIFICATION messages sent.
    pub notifications_sent: u64,
    /// NOTIFICATION messages received.
    pub notifications_received: u64,
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
