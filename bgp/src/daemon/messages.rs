//! The messages that both APIs share, with their field numbers. Written by hand: they are few, and
//! nobody needs `protoc` to build this.

use bytes::Bytes;

/// Address family identifiers (RFC 4760).
pub(super) const AFI_IP: i32 = 1;
pub(super) const AFI_IP6: i32 = 2;
pub(super) const SAFI_UNICAST: i32 = 1;
/// Type of an AS_PATH segment (RFC 4271 section 4.3).
pub(super) const AS_SEQUENCE: i32 = 2;

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Family {
    #[prost(int32, tag = "1")]
    pub(super) afi: i32,
    #[prost(int32, tag = "2")]
    pub(super) safi: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct IpAddressPrefix {
    #[prost(uint32, tag = "1")]
    pub(super) prefix_len: u32,
    #[prost(string, tag = "2")]
    pub(super) prefix: String,
}

/// Attributes that are one number: ORIGIN, MULTI_EXIT_DISC, LOCAL_PREF.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Number {
    #[prost(uint32, tag = "1")]
    pub(super) value: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AsPath {
    #[prost(message, repeated, tag = "1")]
    pub(super) segments: Vec<AsSegment>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AsSegment {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(uint32, repeated, tag = "2")]
    pub(super) numbers: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LargeCommunities {
    #[prost(message, repeated, tag = "1")]
    pub(super) communities: Vec<LargeCommunity>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct LargeCommunity {
    #[prost(uint32, tag = "1")]
    pub(super) global_admin: u32,
    #[prost(uint32, tag = "2")]
    pub(super) local_data1: u32,
    #[prost(uint32, tag = "3")]
    pub(super) local_data2: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NextHop {
    #[prost(string, tag = "1")]
    pub(super) next_hop: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Communities {
    #[prost(uint32, repeated, tag = "1")]
    pub(super) communities: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetBgpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) global: Option<Global>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Global {
    #[prost(uint32, tag = "1")]
    pub(super) asn: u32,
    #[prost(string, tag = "2")]
    pub(super) router_id: String,
}

/// With `P` as each API writes a path.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AddPathRequest<P: prost::Message + Default + std::fmt::Debug> {
    #[prost(int32, tag = "1")]
    pub(super) table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub(super) path: Option<P>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AddPathResponse {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) uuid: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DeletePathRequest<P: prost::Message + Default + std::fmt::Debug> {
    #[prost(int32, tag = "1")]
    pub(super) table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub(super) family: Option<Family>,
    #[prost(message, optional, tag = "4")]
    pub(super) path: Option<P>,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) uuid: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListPathRequest {
    #[prost(int32, tag = "1")]
    pub(super) table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub(super) family: Option<Family>,
    #[prost(message, repeated, tag = "4")]
    pub(super) prefixes: Vec<TableLookupPrefix>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TableLookupPrefix {
    #[prost(string, tag = "1")]
    pub(super) prefix: String,
    /// Which prefixes match; the numbers differ between the APIs.
    #[prost(int32, tag = "2")]
    pub(super) kind: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListPathResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) destination: Option<Destination>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Destination {
    #[prost(string, tag = "1")]
    pub(super) prefix: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) paths: Vec<KnownPath>,
}

/// Of a path in the daemon's table, what says whose it is; the same in both APIs.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct KnownPath {
    #[prost(string, tag = "15")]
    pub(super) neighbor_ip: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListPeerRequest {
    #[prost(bool, tag = "2")]
    pub(super) enable_advertised: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListPeerResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) peer: Option<Peer>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Peer {
    #[prost(message, optional, tag = "5")]
    pub(super) state: Option<PeerState>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PeerState {
    #[prost(string, tag = "5")]
    pub(super) neighbor_address: String,
    #[prost(uint32, tag = "6")]
    pub(super) peer_asn: u32,
    /// As in RFC 4271: 1 is Idle, 6 Established.
    #[prost(int32, tag = "13")]
    pub(super) session_state: i32,
    #[prost(string, tag = "20")]
    pub(super) router_id: String,
}

// === impl KnownPath ===

impl KnownPath {
    /// Whether it was put there over the API, and not learned from a neighbour.
    pub(super) fn is_local(&self) -> bool {
        self.neighbor_ip.parse::<std::net::IpAddr>().is_err()
    }
}
