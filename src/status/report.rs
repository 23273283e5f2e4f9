use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Everything that a node says about itself. Unknown fields are ignored when
/// read, so that an older command line understands a newer node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The node's name.
    pub node: String,
    /// Its partition.
    pub partition: String,
    /// The version that runs, which may differ from the one installed.
    pub version: String,
    /// The process that serves.
    pub pid: u32,
    /// When that process started; for display.
    pub started: DateTime<Utc>,
    /// Fit to serve?
    pub verdict: Verdict,
    /// What the leaf switches are told.
    pub announcement: Announcement,
    /// One entry per configured peer, in the order of the configuration.
    pub peers: Vec<Peer>,
    /// Where connections of peers are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listening: Vec<SocketAddr>,
    /// The local store, which is the global one too unless that is given.
    pub store: Store,
    /// The global store, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global_store: Option<Store>,
    /// The certificate that the API serves; absent while there is none.
    pub certificate: Option<Certificate>,
    /// The probes behind the verdict.
    pub probes: Vec<Probe>,
}

/// Whether the node is fit to serve, and until when that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict itself.
    pub state: VerdictState,
    /// The reason, one line; empty while healthy.
    pub why: String,
    /// Since when it has been this verdict; for display.
    pub since: DateTime<Utc>,
    /// Milliseconds for which it still holds if nobody renews it, 0 when it has
    /// expired.
    pub valid_until_ms: u64,
}

/// See [`Verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictState {
    /// Announced.
    Healthy,
    /// Announced less attractively.
    Degraded,
    /// Withdrawn.
    Down,
    /// An operator (or a signal) is taking the node out of service.
    Draining,
    /// It is out of service: withdrawn, nothing in flight, sessions closed.
    Drained,
}

/// What the speaker tells the leaf switches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// Whether and how the prefixes are announced.
    pub state: AnnouncementState,
    /// The prefixes that the configuration names.
    pub prefixes: Vec<IpNet>,
    /// The communities that go with them, as `65535:0`.
    #[serde(default)]
    pub communities: Vec<String>,
    /// The external daemon that announces, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<Daemon>,
}

/// The external BGP daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Daemon {
    /// Where its API is.
    pub address: String,
    /// What it speaks; absent while it cannot be reached.
    pub api: Option<String>,
    /// Why it does not have what it was told.
    pub last_error: Option<String>,
}

/// See [`Announcement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncementState {
    /// No BGP peer is configured.
    Off,
    /// To every established peer.
    Announced,
    /// With GRACEFUL_SHUTDOWN (RFC 8326).
    GracefulShutdown,
    /// To nobody.
    Withdrawn,
}

/// One BGP session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The leaf switch.
    pub address: String,
    /// Its AS, as it said or as it is configured; unknown while an `external` peer has said
    /// nothing.
    pub asn: Option<u32>,
    /// The state of RFC 4271 section 8.2.2, such as `Established`.
    pub state: String,
    /// Seconds in that state.
    pub since: u64,
    /// Prefixes announced to it now.
    pub prefixes: u32,
    /// Why the session ended or could not be made the last time.
    pub last_error: Option<String>,
    /// Whether the leaf sends here what it was told, where that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<Forwarding>,
}

/// Whether a leaf switch sends here the packets to what it was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forwarding {
    /// Prefixes of which a packet came back from it.
    pub verified: Vec<IpNet>,
    /// Prefixes of which none did.
    pub missing: Vec<IpNet>,
    /// The cause and the fix in one sentence, if a prefix is missing.
    pub notice: Option<String>,
    /// Why it cannot be looked at.
    pub unverified: Option<String>,
}

/// One store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Store {
    /// Its engine, such as `redb`.
    pub backend: String,
    /// Whether the last probe could commit; of the global store, read.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
    /// Commits acknowledged since the start.
    pub commits: u64,
}

/// The certificate that the API serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The file that it was read from.
    pub path: String,
    /// The names and addresses that it is valid for.
    pub names: Vec<String>,
    /// Its end.
    pub not_after: DateTime<Utc>,
    /// Whole days until then, negative afterwards.
    pub days_left: i64,
    /// Who issued it.
    pub issuer: String,
}

/// One probe behind the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// What it probes, such as `api 127.0.0.1:8443` or `store`.
    pub name: String,
    /// Its last outcome.
    pub ok: bool,
    /// Why it failed the last time.
    pub last_error: Option<String>,
    /// How long it took the last time, in milliseconds.
    pub latency_ms: f64,
}

// === impl VerdictState ===

impl VerdictState {
    /// The word for it, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Draining => "draining",
            Self::Drained => "drained",
        }
    }

    /// Whether monitoring should be content. A degraded node serves.
    pub fn is_serving(self) -> bool {
        matches!(self, Self::Healthy | Self::Degraded)
    }
}

// === impl AnnouncementState ===

impl AnnouncementState {
    /// The word for it, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Announced => "announced",
            Self::GracefulShutdown => "graceful-shutdown",
            Self::Withdrawn => "withdrawn",
        }
    }
}
