//! What happened with a peer lately.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;
use serde::Serialize;

use super::PeerState;
use crate::Attributes;

/// So many events are kept per peer; older ones are forgotten.
pub const LOG_LENGTH: usize = 64;

/// The latest events of one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerLog {
    /// The name of the peer, as in its status.
    pub name: String,
    /// Oldest first, at most [`LOG_LENGTH`].
    pub entries: Vec<LogEntry>,
}

/// One event and when it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Milliseconds since then.
    pub age_ms: u64,
    /// What it was.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What can happen with a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogEvent {
    /// The session is in another state.
    State {
        /// The one before.
        before: PeerState,
        /// The one now.
        state: PeerState,
    },
    /// There is no session any more, or the next try to get one failed for another reason than
    /// the one before.
    Lost {
        /// Cause and fix in one sentence.
        reason: String,
    },
    /// We ended a session.
    NotificationSent {
        /// In words, with its numbers.
        notification: String,
    },
    /// The peer ended a session.
    NotificationReceived {
        /// In words, with its numbers.
        notification: String,
    },
    /// The peer was told prefixes that share a next hop and attributes.
    Announced {
        /// How many.
        prefixes: usize,
        /// The lowest of them.
        first: IpNet,
        /// Where the peer is to send the traffic.
        next_hop: IpAddr,
        /// What the peer sees of the attributes.
        attributes: Attributes,
    },
    /// The peer was told that prefixes are gone.
    Withdrawn {
        /// How many.
        prefixes: usize,
        /// The lowest of them.
        first: IpNet,
    },
    /// The peer does not send here the packets to some prefixes that it was told.
    Missed {
        /// How many.
        prefixes: usize,
        /// The lowest of them.
        first: IpNet,
    },
    /// Those that were missed come here again.
    NoneMissed,
    /// The peer asked for everything of a family again (RFC 2918).
    Refreshed {
        /// Of IPv6, otherwise of IPv4.
        v6: bool,
    },
}

/// The log itself.
#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<(Instant, LogEvent)>);

// === impl Log ===

impl Log {
    pub(super) fn push(&mut self, at: Instant, event: LogEvent) {
        if self.0.len() == LOG_LENGTH {
            self.0.pop_front();
        }
        self.0.push_back((at, event));
    }

    pub(super) fn read(&self, now: Instant) -> Vec<LogEntry> {
        let entry = |(at, event): &(Instant, LogEvent)| {
            let age = now.saturating_duration_since(*at).as_millis();
            LogEntry {
                age_ms: u64::try_from(age).unwrap_or(u64::MAX),
                event: event.clone(),
            }
        };
        self.0.iter().map(entry).collect()
    }
}
