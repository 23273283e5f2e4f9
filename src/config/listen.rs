use std::{net::SocketAddr, time::Duration};

use super::ByteSize;

/// `[listen]`: where requests come in, and the bounds on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// HTTPS listeners of the API; anycast addresses are bound even before
    /// they are on an interface. At least one, no two alike.
    pub api: Vec<SocketAddr>,
    /// Plain HTTP listener for health, metrics and the node's own command
    /// line. Always a loopback address.
    pub admin: SocketAddr,
    /// Connections to the API at one time, 1 to 1,000,000; more wait in the
    /// kernel's accept queue.
    pub max_connections: usize,
    /// Longest request body; longer ones are answered 413.
    pub max_body: ByteSize,
    /// Longest request head; longer ones are answered 431.
    pub max_header_bytes: ByteSize,
    /// From the accepted connection (or the first byte of a further request)
    /// to the complete head, TLS handshake included.
    pub header_timeout: Duration,
    /// From the complete head to the complete answer.
    pub request_timeout: Duration,
    /// How long a connection without a request in flight is kept.
    pub idle_timeout: Duration,
}
