//! The configuration: embedded defaults, one TOML file, the environment
//! `METAL_EDGE_*` and flags, in this order, into one typed [`Config`] that is
//! checked whole before anything starts.

mod asn;
mod audit;
mod auth;
mod bgp;
mod byte_size;
mod data_dir;
mod drain;
mod files;
mod guard;
mod health;
mod http;
mod keys;
mod layer;
mod listen;
mod load;
mod log;
mod name;
mod origin;
mod problem;
mod reader;
mod sources;
mod stores;
#[cfg(test)]
mod tests;
mod tls;
mod value;

pub use self::{
    asn::{Asn, AsnError},
    audit::Audit,
    auth::{Auth, Hmac, HmacKey},
    bgp::{Bgp, Levels, Peer, PeerAsn},
    byte_size::{ByteSize, ByteSizeError},
    data_dir::DataDir,
    drain::Drain,
    guard::Guard,
    health::Health,
    http::Http,
    keys::{KEYS, PEER_KEYS, PREFIX_KEYS, variable},
    listen::Listen,
    load::{Loaded, Setting},
    log::{Log, LogFormat},
    name::{NameError, NodeName, PartitionId},
    origin::Origin,
    problem::{Problem, Problems},
    sources::{Flag, Sources},
    stores::{StoreSettings, StoreUrl, Stores},
    tls::Tls,
};

/// Everything that a node is told. Only [`Config::load`] makes one, so every
/// value is within its documented bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The partition that this node serves.
    pub partition: PartitionId,
    /// This node's name.
    pub node: NodeName,
    /// Where it keeps its state.
    pub data_dir: DataDir,
    /// `[store]`.
    pub stores: Stores,
    /// `[listen]`.
    pub listen: Listen,
    /// `[tls]`.
    pub tls: Tls,
    /// `[auth]`.
    pub auth: Auth,
    /// `[bgp]`; `None`: nothing is announced.
    pub bgp: Option<Bgp>,
    /// `[health]`.
    pub health: Health,
    /// `[drain]`.
    pub drain: Drain,
    /// `[guard]`.
    pub guard: Guard,
    /// `[log]`.
    pub log: Log,
    /// `[http]`.
    pub http: Http,
    /// `[audit]`.
    pub audit: Audit,
}
