//! A BGP speaker for an anycast service: it announces prefixes to leaf switches while
//! somebody keeps saying that the service is fit, withdraws them by itself when that stops,
//! and imports nothing.
//!
//! [`Speaker`] owns a thread; everything else here is what goes in ([`SpeakerConfig`],
//! [`Announcement`]) or comes out ([`SpeakerStatus`]). Inside, `session` is the protocol without
//! I/O, `peer` drives one session over TCP, `wire` turns changes into UPDATE messages.
#![deny(unsafe_code)]

mod announcement;
mod asn;
mod community;
mod config;
mod crew;
mod error;
mod keeper;
mod listener;
mod neighbor;
mod peer;
mod plan;
mod session;
mod socket;
mod speaker;
mod status;
mod wire;

pub use announcement::{Announcement, MAX_COMMUNITIES, MAX_PREFIXES};
pub use asn::Asn;
pub use community::Community;
pub use config::{Interface, MAX_LISTENERS, MAX_PEERS, PeerAs, PeerConfig, SpeakerConfig, Ttl};
pub use error::{
    AnnouncementError, AsnError, CommunityError, ConfigError, InterfaceError, StartError,
};
pub use socket::{Md5Key, Md5KeyError};
pub use speaker::Speaker;
pub use status::{AnnouncementState, PeerCounters, PeerState, PeerStatus, SpeakerStatus};
