//! The way in: from a TCP connection to a request, and the answer back.
//!
//! - [`certificates`]: the server certificate, reloaded when its files change.
//! - [`tls`]: what is negotiated.
//! - [`listener`]: sockets and the accept loop, with its limits.
//! - [`connection`]: one connection, from its first byte to its last.
//! - [`body`]: a request's body on loan to its handler.
//! - [`handler`]: one request: id, time limit, access log, metrics.
//! - [`drain`]: telling connections to finish.
//! - [`admin`]: the loopback listener for operators and Prometheus.

pub mod admin;
pub mod body;
pub mod certificates;
pub mod connection;
pub mod drain;
pub mod handler;
mod ipam_admin;
pub mod listener;
pub mod store_admin;
pub mod tls;

use std::time::Duration;

/// Bounds of what clients may ask of the listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// From a connection's first byte to the end of the handshake, and again
    /// from there, or from the answer before, to the end of a request's head.
    pub header_timeout: Duration,
    /// From a request's head to its answer.
    pub request_timeout: Duration,
    /// A connection without a request for so long is closed.
    pub idle_timeout: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
}
