//! What the tests share: a `metal-edge serve` of their own, a client that
//! signs as metal-stack's clients do, and the parts around them.

// Every test binary uses a part of this module.
#![allow(dead_code, unused_imports)]

mod certificate;
mod client;
mod environment;
mod figures;
mod file_server;
mod node;
mod plant;
mod ports;
mod settings;
mod signer;
mod snapshot;
mod socket;
mod tools;

pub use self::{
    certificate::{Authority, Leaf},
    client::{Answer, Client, assert_error},
    environment::with_environment,
    figures::{metric, replica_is_current},
    file_server::FileServer,
    node::{Node, metal_edge},
    plant::{
        PARTITION, PROJECT, address_of, addresses, all_agrees, blocks, furnish, ipam, take_address,
    },
    ports::free_address,
    settings::Settings,
    signer::{Role, Signature, sign_at, sign_now},
    snapshot::Snapshot,
    socket::{TlsSocket, client_config, read_http_answer, read_until_closed},
    tools::{Tool, clients_dir, find_tool, run},
};

/// Bound of every wait that an event ends: it guards against hangs only.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
