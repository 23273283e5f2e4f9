//! What can be wrong with what the caller hands in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;

use crate::{
    MAX_COMMUNITIES, MAX_LISTENERS, MAX_PEERS, MAX_PREFIXES, MAX_PREPEND, MAX_STATIONS, Ttl,
};

/// A number that is no usable AS number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AsnError {
    /// Reserved by RFC 7607, 6793 or 7300.
    #[error("AS number {0} is reserved and cannot be a speaker's own or a peer's")]
    Reserved(u32),
    /// Not a decimal number of 32 bits; the text, shortened.
    #[error("{0:?} is no AS number: write it in decimal, 1 to 4294967294")]
    Syntax(String),
}

/// A text that is no community; the text, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no community: write two numbers of 16 bits, as in 65535:0")]
pub struct CommunityError(pub(crate) String);

/// A text that names no network interface; the text, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no name of an interface: 1 to 15 bytes without slash, colon and white space")]
pub struct InterfaceError(pub(crate) String);

/// A text that is no large community; the text, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no large community: write three numbers of 32 bits, as in 4200000001:1:2")]
pub struct LargeCommunityError(pub(crate) String);

/// An announcement that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnnouncementError {
    /// The address has bits set outside its prefix length.
    #[error("prefix {prefix} has host bits; the network is {network}")]
    HostBits {
        /// As given.
        prefix: IpNet,
        /// What was probably meant.
        network: IpNet,
    },
    /// Multicast or loopback addresses cannot be anycast addresses.
    #[error("prefix {0} is multicast or loopback; only unicast prefixes can be announced")]
    NotUnicast(IpNet),
    /// More than [`MAX_PREFIXES`].
    #[error("more than {MAX_PREFIXES} prefixes")]
    TooManyPrefixes,
    /// The same prefix twice, with different attributes.
    #[error("prefix {0} is there twice, with different attributes")]
    Contradiction(IpNet),
    /// More than [`MAX_PREPEND`].
    #[error("prepend {0}: at most {MAX_PREPEND}")]
    TooMuchPrepend(u8),
    /// More than [`MAX_COMMUNITIES`].
    #[error("more than {MAX_COMMUNITIES} communities")]
    TooManyCommunities,
}

/// A configuration that the speaker refuses. [`ConfigError::field`] names the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// RFC 6286: the identifier is any number but 0; multicast and loopback are mistakes.
    #[error("router-id {0}: must be a unicast IPv4 address, unique among the routers of this AS")]
    RouterId(Ipv4Addr),
    /// More than [`MAX_PEERS`].
    #[error("peer: {0} peers, at most {MAX_PEERS} are possible")]
    TooManyPeers(usize),
    /// More than [`MAX_LISTENERS`].
    #[error("listen: {0} addresses, at most {MAX_LISTENERS} are possible")]
    TooManyListeners(usize),
    /// More than [`MAX_STATIONS`].
    #[error("bmp: {0} stations, at most {MAX_STATIONS} are possible")]
    TooManyStations(usize),
    /// Waiting for a connection that nobody can make.
    #[error(
        "peer[{peer}].passive: the speaker listens nowhere; set listen, or connect to the peer"
    )]
    Passive {
        /// Position of the peer.
        peer: usize,
    },
    /// A peer on a link is found there and connected to: its own connections come from an address
    /// that says nothing without the link.
    #[error("peer[{peer}].passive: a peer that is known by its interface is connected to")]
    PassiveOnLink {
        /// Position of the peer.
        peer: usize,
    },
    /// Two peers have the same address and port, or the same address where the speaker listens.
    #[error("peer[{second}].address {name}: peer[{first}] is this peer already")]
    DuplicatePeer {
        /// The address or interface of both.
        name: String,
        /// Position of the first.
        first: usize,
        /// Position of the second.
        second: usize,
    },
    /// Unspecified, multicast, or link-local without an interface.
    #[error("peer[{peer}].address {address}: {reason}")]
    Address {
        /// Position of the peer.
        peer: usize,
        /// As given.
        address: IpAddr,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Neither address nor interface.
    #[error("peer[{peer}].address: is missing; give the leaf's address, or the interface to it")]
    NoAddress {
        /// Position of the peer.
        peer: usize,
    },
    /// Port 0.
    #[error("peer[{peer}].port: must be 1 to 65535")]
    Port {
        /// Position of the peer.
        peer: usize,
    },
    /// RFC 4271 section 4.2: zero, or at least three seconds.
    #[error("peer[{peer}].hold-time {hold_time:?}: must be 0s, or whole seconds from 3s to 65535s")]
    HoldTime {
        /// Position of the peer.
        peer: usize,
        /// As given.
        hold_time: Duration,
    },
    /// A wait that is zero, too long, or in the wrong order.
    #[error("peer[{peer}].{field} {value:?}: {reason}")]
    Wait {
        /// Position of the peer.
        peer: usize,
        /// The key.
        field: &'static str,
        /// As given.
        value: Duration,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No hops, or more than there can be.
    #[error(
        "peer[{peer}].ttl {ttl:?}: hops must be 1 to 255, for security 1 to 254, and none for a peer on a link"
    )]
    Ttl {
        /// Position of the peer.
        peer: usize,
        /// As given.
        ttl: Ttl,
    },
    /// BFD that cannot be.
    #[error("peer[{peer}].bfd: {reason}")]
    Bfd {
        /// Position of the peer.
        peer: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A source address that cannot be one.
    #[error("peer[{peer}].source {address}: {reason}")]
    Source {
        /// Position of the peer.
        peer: usize,
        /// As given.
        address: IpAddr,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A next hop that no peer would accept.
    #[error("peer[{peer}].{field} {address}: must be a global unicast address of this node")]
    NextHop {
        /// Position of the peer.
        peer: usize,
        /// The key.
        field: &'static str,
        /// As given.
        address: IpAddr,
    },
}

// === impl ConfigError ===

impl ConfigError {
    /// The key that is wrong, for example `peer[1].hold-time`.
    pub fn field(&self) -> String {
        match self {
            Self::RouterId(_) => "router-id".to_owned(),
            Self::TooManyPeers(_) => "peer".to_owned(),
            Self::TooManyListeners(_) => "listen".to_owned(),
            Self::TooManyStations(_) => "bmp".to_owned(),
            Self::Passive { peer } | Self::PassiveOnLink { peer } => {
                format!("peer[{peer}].passive")
            }
            Self::DuplicatePeer { second, .. } => format!("peer[{second}].address"),
            Self::Address { peer, .. } | Self::NoAddress { peer } => {
                format!("peer[{peer}].address")
            }
            Self::Port { peer } => format!("peer[{peer}].port"),
            Self::Ttl { peer, .. } => format!("peer[{peer}].ttl"),
            Self::Bfd { peer, .. } => format!("peer[{peer}].bfd"),
            Self::Source { peer, .. } => format!("peer[{peer}].source"),
            Self::HoldTime { peer, .. } => format!("peer[{peer}].hold-time"),
            Self::Wait { peer, field, .. } | Self::NextHop { peer, field, .. } => {
                format!("peer[{peer}].{field}")
            }
        }
    }
}

/// Why a speaker did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is wrong; nothing was started.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address to listen on is taken, or not this node's; nothing was started or changed.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the operating system says.
        error: io::Error,
    },
    /// The operating system gave no thread or no event queue.
    #[error("cannot start the speaker's thread: {0}")]
    Thread(#[from] io::Error),
}
