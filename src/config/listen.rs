use std::{net::SocketAddr, time::Duration};

use super::{ByteSize, reader::Reader};

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

/// More are not an address plan but a mistake.
const MAX_LISTENERS: usize = 64;

// === impl Listen ===

impl Listen {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let size = |kib: u64| ByteSize::new(kib << 10);
        let (short, long) = (Duration::from_millis(100), Duration::from_secs(3600));
        let listen = Self {
            api: reader.get("listen.api"),
            admin: reader.get("listen.admin"),
            max_connections: reader.within("listen.max-connections", 1..=1_000_000u32) as usize,
            max_body: reader.within("listen.max-body", size(1)..=size(64 << 10)),
            max_header_bytes: reader.within("listen.max-header-bytes", size(4)..=size(1 << 10)),
            header_timeout: reader.within("listen.header-timeout", short..=long),
            request_timeout: reader.within("listen.request-timeout", short..=long),
            idle_timeout: reader.within("listen.idle-timeout", short..=long),
        };
        listen.check(reader);
        listen
    }

    fn check(&self, reader: &mut Reader<'_>) {
        if self.api.is_empty() || self.api.len() > MAX_LISTENERS {
            let what = format!("expected 1 to {MAX_LISTENERS} addresses");
            reader.problem("listen.api", what);
        }
        if !self.admin.ip().is_loopback() {
            let what = format!(
                "{} is not a loopback address: the admin listener speaks plain HTTP, which must \
                 not leave the machine",
                self.admin.ip()
            );
            reader.problem("listen.admin", what);
        }
        for (index, address) in self.api.iter().enumerate() {
            if self.api[..index]
                .iter()
                .any(|other| collide(address, other))
            {
                let what = format!("{address} collides with another address of this list");
                reader.problem("listen.api", what);
            }
            if collide(address, &self.admin) {
                let what = format!("{address} is taken by listen.admin");
                reader.problem("listen.api", what);
            }
        }
    }
}

/// Whether the kernel would refuse the second of two listeners. Port 0 is any
/// free port. An IPv6 wildcard does not take the IPv4 port (`IPV6_V6ONLY`).
fn collide(a: &SocketAddr, b: &SocketAddr) -> bool {
    let wildcard = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port()
        && a.port() != 0
        && a.is_ipv4() == b.is_ipv4()
        && (wildcard || a.ip() == b.ip())
}
