use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Everything that a node knows of its BGP sessions: the body of `GET /bgp` on the admin listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BgpReport {
    /// One entry per peer, in the order of the configuration.
    pub peers: Vec<BgpPeer>,
    /// What each peer was told.
    pub routes: Vec<BgpRoute>,
    /// What happened lately, oldest first.
    pub log: Vec<BgpEvent>,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgpPeer {
    /// Its address, or the interface it is known by.
    pub name: String,
    /// Its AS, as it said or as it is configured.
    #[serde(rename = "as")]
    pub asn: String,
    /// The state of RFC 4271 section 8.2.2.
    pub state: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Our end of the connection.
    pub local_address: Option<String>,
    /// The peer's BGP identifier.
    pub router_id: Option<String>,
    /// Seconds, 0 for none.
    pub hold_time: Option<u16>,
    /// Prefixes that it was told.
    pub prefixes: u64,
    /// The state of BFD, where it is configured, and its detection time.
    pub bfd: Option<String>,
    /// Sessions that reached Established.
    pub established: u64,
    /// Sessions that were lost.
    pub flaps: u64,
    /// UPDATE messages sent.
    pub updates_sent: u64,
    /// UPDATE messages received; their routes are dropped.
    pub updates_received: u64,
    /// Why the last session ended, or why some prefixes are kept from it.
    pub last_error: Option<String>,
    /// When.
    pub last_error_at: Option<DateTime<Utc>>,
    /// Which announced prefixes it does not send here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// One prefix that a peer was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgpRoute {
    /// The peer.
    pub peer: String,
    /// The prefix.
    pub prefix: String,
    /// Where the peer sends the traffic.
    pub next_hop: String,
    /// The AS_PATH, empty towards internal peers.
    pub as_path: String,
    /// MULTI_EXIT_DISC.
    pub med: Option<u32>,
    /// LOCAL_PREF, towards internal peers.
    pub local_pref: Option<u32>,
    /// Communities and large communities.
    pub communities: Vec<String>,
}

/// Something that happened with a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgpEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// The peer.
    pub peer: String,
    /// In words.
    pub event: String,
}
