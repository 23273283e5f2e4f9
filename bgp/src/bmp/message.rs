//! BMP messages (RFC 7854 section 4).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

const VERSION: u8 = 3;
/// The common header: version, length, type.
const HEADER: usize = 6;

const ROUTE_MONITORING: u8 = 0;
const PEER_DOWN: u8 = 2;
const PEER_UP: u8 = 3;
const INITIATION: u8 = 4;
const TERMINATION: u8 = 5;

/// Per-peer flags: the address is IPv6; the path has two-octet AS numbers; post-policy;
/// Adj-RIB-Out (RFC 8671 section 4).
const V: u8 = 0x80;
const L: u8 = 0x40;
const A: u8 = 0x20;
const O: u8 = 0x10;

/// The per-peer header's fields (section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeerHeader {
    pub(super) address: IpAddr,
    pub(super) asn: u32,
    pub(super) router_id: Ipv4Addr,
    /// The peer understands four-octet AS numbers.
    pub(super) four_octet: bool,
    /// Since 1970, for display; zero if unknown.
    pub(super) at: Duration,
}

/// Who we are (section 4.3).
pub(super) fn initiation(name: &str, description: &str) -> Bytes {
    let mut body = BytesMut::new();
    for (kind, text) in [(2_u16, name), (1, description)] {
        information(&mut body, kind, text.as_bytes());
    }
    message(INITIATION, &body)
}

/// We go, on purpose (section 4.5, reason 0).
pub(super) fn termination() -> Bytes {
    let mut body = BytesMut::new();
    information(&mut body, 1, &0_u16.to_be_bytes());
    message(TERMINATION, &body)
}

/// A session is established (section 4.10).
pub(super) fn peer_up(
    header: &PeerHeader,
    local: SocketAddr,
    remote_port: u16,
    sent_open: &[u8],
    received_open: &[u8],
) -> Bytes {
    let mut body = BytesMut::new();
    put_header(&mut body, header, 0);
    put_address(&mut body, local.ip());
    body.put_u16(local.port());
    body.put_u16(remote_port);
    body.put_slice(sent_open);
    body.put_slice(received_open);
    message(PEER_UP, &body)
}

/// A session is over (section 4.9): closed here, without an event of the state machine to name.
pub(super) fn peer_down(header: &PeerHeader) -> Bytes {
    let mut body = BytesMut::new();
    put_header(&mut body, header, 0);
    body.put_u8(2);
    body.put_u16(0);
    message(PEER_DOWN, &body)
}

/// One UPDATE that the peer was told, after our policy (section 4.6, RFC 8671).
pub(super) fn route_monitoring(header: &PeerHeader, update: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    put_header(&mut body, header, L | O);
    body.put_slice(update);
    message(ROUTE_MONITORING, &body)
}

fn message(kind: u8, body: &[u8]) -> Bytes {
    let length = u32::try_from(HEADER + body.len()).expect("two OPENs are the most");
    let mut message = BytesMut::with_capacity(HEADER + body.len());
    message.put_u8(VERSION);
    message.put_u32(length);
    message.put_u8(kind);
    message.put_slice(body);
    message.freeze()
}

fn put_header(body: &mut BytesMut, header: &PeerHeader, flags: u8) {
    let v6 = if header.address.is_ipv6() { V } else { 0 };
    let two_octet = if header.four_octet { 0 } else { A };
    // Global instance peer, without a distinguisher.
    body.put_u8(0);
    body.put_u8(flags | v6 | two_octet);
    body.put_u64(0);
    put_address(body, header.address);
    body.put_u32(header.asn);
    body.put_slice(&header.router_id.octets());
    body.put_u32(u32::try_from(header.at.as_secs()).unwrap_or(u32::MAX));
    body.put_u32(header.at.subsec_micros());
}

/// An IPv4 address is in the last four of the sixteen octets.
fn put_address(body: &mut BytesMut, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            body.put_slice(&[0; 12]);
            body.put_slice(&address.octets());
        }
        IpAddr::V6(address) => body.put_slice(&address.octets()),
    }
}

fn information(body: &mut BytesMut, kind: u16, value: &[u8]) {
    let value = &value[..value.len().min(1024)];
    body.put_u16(kind);
    body.put_u16(u16::try_from(value.len()).expect("at most 1024"));
    body.put_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_monitored_as_the_rfcs_lay_it_out() {
        let header = PeerHeader {
            address: "10.0.0.254".parse().unwrap(),
            asn: 4_210_000_001,
            router_id: Ipv4Addr::new(10, 0, 0, 2),
            four_octet: true,
            at: Duration::from_micros(1_500_000),
        };
        let bytes = route_monitoring(&header, b"update");
        assert_eq!(bytes.len(), 6 + 42 + 6);
        assert_eq!(&bytes[..6], &[3, 0, 0, 0, 54, 0]);
        assert_eq!(bytes[6..8], [0, 0x50], "global instance, post-policy, out");
        assert_eq!(bytes[28..32], [10, 0, 0, 254]);
        assert_eq!(bytes[32..36], 4_210_000_001_u32.to_be_bytes());
        assert_eq!(bytes[36..40], [10, 0, 0, 2]);
        assert_eq!(bytes[40..48], [0, 0, 0, 1, 0, 7, 0xA1, 0x20]);
        assert_eq!(&bytes[48..], b"update");
        let v6 = PeerHeader {
            address: "2001:db8::1".parse().unwrap(),
            four_octet: false,
            ..header
        };
        assert_eq!(peer_down(&v6)[7], V | A);
    }
}
