//! A BGP speaker for an anycast service: it announces prefixes to leaf switches while
//! somebody keeps saying that the service is fit, withdraws them by itself when that stops,
//! and imports nothing.
//!
//! [`Speaker`] owns a thread, as does [`Daemon`], which announces through an external daemon
//! instead (feature `daemon`); everything else here is what goes in ([`SpeakerConfig`],
//! [`Announcement`]) or comes out ([`SpeakerStatus`]). Inside, `session` is the protocol without
//! I/O, `peer` drives one session over TCP, `wire` turns changes into UPDATE messages, `neighbor`
//! finds a peer that is known by its interface alone, `bfd` says whether the way to a peer carries
//! packets, and `forwarding` whether the peer sends here what was announced to it. Socket options, and the only `unsafe` code, are in `socket`.
#![deny(unsafe_code)]

mod announcement;
mod asn;
mod attributes;
mod bfd;
mod bmp;
mod community;
mod config;
mod crew;
#[cfg(feature = "daemon")]
mod daemon;
mod error;
mod forwarding;
mod keeper;
mod large_community;
mod listener;
mod neighbor;
mod peer;
mod plan;
mod session;
mod socket;
mod speaker;
mod status;
mod wire;

pub use announcement::{Announcement, MAX_PREFIXES};
pub use asn::Asn;
pub use attributes::{Attributes, MAX_COMMUNITIES, MAX_PREPEND};
pub use bfd::{BfdDiagnostic, BfdState};
pub use community::Community;
pub use config::{
    BfdConfig, Interface, MAX_LISTENERS, MAX_PEERS, MAX_STATIONS, PeerAs, PeerConfig,
    SpeakerConfig, Ttl,
};
#[cfg(feature = "daemon")]
pub use daemon::{
    Daemon, DaemonAddress, DaemonConfig, DaemonFacts, ask as ask_daemon, withdraw_all,
};
pub use error::{
    AnnouncementError, AsnError, CommunityError, ConfigError, InterfaceError, LargeCommunityError,
    StartError,
};
pub use large_community::LargeCommunity;
pub use socket::{Md5Key, Md5KeyError};
pub use speaker::Speaker;
pub use status::{
    AnnouncedRoute, AnnouncementState, BfdStatus, DaemonStatus, ForwardingStatus, LOG_LENGTH,
    LogEntry, LogEvent, PeerCounters, PeerLog, PeerRoutes, PeerState, PeerStatus, SpeakerStatus,
};
