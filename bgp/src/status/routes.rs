//! What is announced to whom.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::session::Route;
use crate::{Asn, Community, LargeCommunity};

/// What one peer was told and has not been told to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeerRoutes {
    /// The name of the peer, as in its status.
    pub name: String,
    /// Sorted by prefix; empty without a session.
    pub routes: Vec<AnnouncedRoute>,
}

/// One prefix as one peer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AnnouncedRoute {
    /// The prefix.
    pub prefix: IpNet,
    /// Where the peer is to send the traffic.
    pub next_hop: IpAddr,
    /// The AS_PATH: empty towards an internal peer.
    pub as_path: Vec<Asn>,
    /// MULTI_EXIT_DISC, if one is sent.
    pub med: Option<u32>,
    /// LOCAL_PREF, towards internal peers.
    pub local_pref: Option<u32>,
    /// Communities, sorted.
    pub communities: Vec<Community>,
    /// Large communities, sorted.
    pub large_communities: Vec<LargeCommunity>,
}

// === impl AnnouncedRoute ===

impl AnnouncedRoute {
    pub(super) fn new(prefix: IpNet, route: &Route, own: Asn, internal: bool) -> Self {
        let attributes = &route.attributes;
        let length = match internal {
            true => 0,
            false => 1 + usize::from(attributes.prepend()),
        };
        Self {
            prefix,
            next_hop: route.next_hop,
            as_path: vec![own; length],
            med: attributes.med(),
            local_pref: attributes.local_pref(),
            communities: attributes.communities().to_vec(),
            large_communities: attributes.large_communities().to_vec(),
        }
    }
}
