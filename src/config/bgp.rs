mod attributes;
mod check;
mod peer;
mod read;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use metal_bgp::{BfdConfig, DaemonAddress, Interface, Ttl};

pub use self::attributes::Levels;
use super::Asn;

/// `[bgp]`: what is announced, and to whom. Without this section the node
/// announces nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bgp {
    /// Our own AS.
    pub asn: Asn,
    /// BGP identifier, unique in the AS.
    pub router_id: Ipv4Addr,
    /// The anycast prefixes, without host bits, no two alike. May be empty:
    /// then the sessions come up and nothing is announced.
    pub announce: Vec<IpNet>,
    /// Whether the node puts the addresses of `listen.api` that are in an announced prefix on
    /// `lo`, and removes them after the withdrawal. Needs CAP_NET_ADMIN.
    pub manage_addresses: bool,
    /// Whether it is looked if each leaf on a link sends the prefixes here, with a few packets
    /// after every change. Needs CAP_NET_RAW; a notice at most follows from it.
    pub verify_forwarding: bool,
    /// Where connections of peers are taken (`bgp.listen`); empty: nowhere.
    pub listen: Vec<SocketAddr>,
    /// An external daemon that has the sessions in place of this process; `None`: own sessions
    /// with `peers`.
    pub daemon: Option<DaemonAddress>,
    /// Next hop of IPv4 prefixes that go through the daemon; absent: its own on each session.
    pub next_hop_v4: Option<Ipv4Addr>,
    /// Next hop of IPv6 prefixes that go through the daemon; absent: its own on each session.
    pub next_hop_v6: Option<Ipv6Addr>,
    /// BMP stations that hear what our own sessions announce (`bgp.bmp`).
    pub stations: Vec<SocketAddr>,
    /// What the prefixes are announced with.
    pub levels: Levels,
    /// The prefixes with attributes of their own (`[[bgp.prefix]]`), each one of `announce`.
    pub exceptions: BTreeMap<IpNet, Levels>,
    /// `[[bgp.peer]]`, no two with the same address or interface.
    pub peers: Vec<Peer>,
}

/// The AS that a peer must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAsn {
    /// This one.
    Exactly(Asn),
    /// Any but our own (`asn = "external"`).
    External,
}

/// `[[bgp.peer]]`: a leaf switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; absent: whoever sends router advertisements on the interface.
    pub address: Option<IpAddr>,
    /// The interface to it, which connections are bound to.
    pub interface: Option<Interface>,
    /// TCP port, 179 but in a laboratory.
    pub port: u16,
    /// Its AS. Our own makes the session internal (iBGP).
    pub asn: PeerAsn,
    /// Proposed in our OPEN, whole seconds, 3 to 65535 (RFC 4271 section 4.2).
    pub hold_time: Duration,
    /// Longest wait between two attempts to connect.
    pub connect_retry: Duration,
    /// Whether it is waited for, and not connected to.
    pub passive: bool,
    /// Next hop of IPv4 prefixes; absent: our address on the session, or over
    /// an IPv6 session the first global IPv4 address of its interface.
    pub next_hop_v4: Option<Ipv4Addr>,
    /// Next hop of IPv6 prefixes; absent: our address on the session, or over
    /// an IPv4 session the first global IPv6 address of its interface.
    pub next_hop_v6: Option<Ipv6Addr>,
    /// File with the key that signs the connection (RFC 2385), read by [`Peer::md5_key`].
    pub md5_key_file: Option<PathBuf>,
    /// How far away it may be.
    pub ttl: Ttl,
    /// The address that connections are made from; absent: the kernel chooses.
    pub source: Option<IpAddr>,
    /// BFD with it, if it is wanted.
    pub bfd: Option<BfdConfig>,
}
