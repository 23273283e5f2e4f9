//! The packets: UDP in IPv4 or IPv6 in Ethernet, as they go over the wire.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// No frame of ours is longer.
pub(crate) const FRAME: usize = 80;

/// Where traceroute sends to: packets that end there surprise nobody.
pub(crate) const PORT: u16 = 33_434;

/// Enough for the peer to forward it once: no loop, and nothing further away hears of it.
const TTL: u8 = 2;

const ETHERNET: usize = 14;
const UDP: usize = 8;
/// The payload: the token of a round.
const TOKEN: usize = 8;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
const UDP_PROTOCOL: u8 = 17;

/// Where in a frame is what tells ours from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) protocol: usize,
    pub(crate) port: usize,
    pub(crate) token: usize,
}

/// A link-layer address.
pub(crate) type Mac = [u8; 6];

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) to: Mac,
    pub(super) from: Mac,
    /// Both addresses are of one family.
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
    /// What makes it another flow.
    pub(super) port: u16,
    pub(super) token: u64,
}

// === impl Place ===

impl Place {
    pub(crate) const fn of(v6: bool) -> Self {
        let (protocol, header) = match v6 {
            false => (9, 20),
            true => (6, 40),
        };
        Self {
            protocol: ETHERNET + protocol,
            port: ETHERNET + header + 2,
            token: ETHERNET + header + UDP,
        }
    }

    /// The value at [`Place::protocol`], of one byte.
    pub(crate) const UDP: u8 = UDP_PROTOCOL;
}

// === impl Frame ===

impl Frame {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut segment = Vec::with_capacity(UDP + TOKEN);
        segment.extend(self.port.to_be_bytes());
        segment.extend(PORT.to_be_bytes());
        segment.extend(((UDP + TOKEN) as u16).to_be_bytes());
        segment.extend([0, 0]);
        segment.extend(self.token.to_be_bytes());
        let sum = self.checksum(&segment);
        segment[6..8].copy_from_slice(&sum.to_be_bytes());

        let mut frame = Vec::with_capacity(FRAME);
        frame.extend(self.to);
        frame.extend(self.from);
        match (self.source, self.target) {
            (IpAddr::V4(source), IpAddr::V4(target)) => {
                frame.extend(IPV4.to_be_bytes());
                frame.extend(ipv4(source, target, segment.len()));
            }
            _ => {
                frame.extend(IPV6.to_be_bytes());
                frame.extend(self.ipv6(segment.len()));
            }
        }
        frame.extend(segment);
        frame
    }

    fn ipv6(&self, length: usize) -> Vec<u8> {
        // Routers may spread flows by the flow label alone (RFC 6438).
        let label = u32::from(self.port) & 0xF_FFFF;
        let mut header = (0x6000_0000 | label).to_be_bytes().to_vec();
        header.extend((length as u16).to_be_bytes());
        header.extend([UDP_PROTOCOL, TTL]);
        header.extend(octets(self.source));
        header.extend(octets(self.target));
        header
    }

    /// With the pseudo header (RFC 768, RFC 8200 section 8.1).
    fn checksum(&self, segment: &[u8]) -> u16 {
        let mut bytes = octets(self.source);
        bytes.extend(octets(self.target));
        bytes.extend([0, UDP_PROTOCOL]);
        bytes.extend((segment.len() as u16).to_be_bytes());
        bytes.extend(segment);
        match checksum(&bytes) {
            0 => u16::MAX,
            sum => sum,
        }
    }
}

/// Where a frame that arrived was meant for, if it is one of the round with `token`, came back to
/// the node with the link-layer address `own`, and was forwarded on the way.
pub(super) fn returned(frame: &[u8], own: Mac, token: u64) -> Option<IpAddr> {
    if frame.get(..6)? != own {
        return None;
    }
    let target = match u16::from_be_bytes(array(frame, 12)?) {
        IPV4 if frame.get(14)? == &0x45 && frame.get(22)? < &TTL => {
            IpAddr::V4(Ipv4Addr::from(array::<4>(frame, 30)?))
        }
        IPV6 if frame.get(21)? < &TTL => IpAddr::V6(Ipv6Addr::from(array::<16>(frame, 38)?)),
        _ => return None,
    };
    let place = Place::of(target.is_ipv6());
    let ours = frame.get(place.protocol)? == &UDP_PROTOCOL
        && u16::from_be_bytes(array(frame, place.port)?) == PORT
        && u64::from_be_bytes(array(frame, place.token)?) == token;
    ours.then_some(target)
}

fn ipv4(source: Ipv4Addr, target: Ipv4Addr, length: usize) -> Vec<u8> {
    let total = (20 + length) as u16;
    // Not to be fragmented, so no identification is needed (RFC 6864).
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend([0, 0, 0x40, 0, TTL, UDP_PROTOCOL, 0, 0]);
    header.extend(source.octets());
    header.extend(target.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// RFC 1071. `bytes` are an even number.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2);
    let mut sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const LEAF: Mac = [2, 0, 0, 0, 0, 2];

    fn sent(v6: bool) -> Frame {
        let (source, target) = match v6 {
            false => ("10.0.0.1", "192.0.2.1"),
            true => ("fe80::1", "2001:db8::1"),
        };
        Frame {
            to: LEAF,
            from: OWN,
            source: source.parse().unwrap(),
            target: target.parse().unwrap(),
            port: 50_000,
            token: 0x0123_4567_89AB_CDEF,
        }
    }

    /// As a router hands it on.
    fn forwarded(frame: &Frame) -> Vec<u8> {
        let mut bytes = frame.encode();
        bytes[..6].copy_from_slice(&OWN);
        bytes[6..12].copy_from_slice(&LEAF);
        bytes[if frame.target.is_ipv6() { 21 } else { 22 }] -= 1;
        bytes
    }

    #[test]
    fn a_packet_that_comes_back_says_where_it_was_meant_for() {
        for v6 in [false, true] {
            let frame = sent(v6);
            let found = returned(&forwarded(&frame), OWN, frame.token);
            assert_eq!(found, Some(frame.target));
            assert!(frame.encode().len() <= FRAME);
        }
    }

    #[test]
    fn what_was_not_forwarded_or_is_for_another_node_or_of_another_round_did_not_come_back() {
        for v6 in [false, true] {
            let frame = sent(v6);
            let back = forwarded(&frame);
            let mut own = frame.encode();
            own[..6].copy_from_slice(&OWN);
            assert_eq!(returned(&own, OWN, frame.token), None, "our own, reflected");
            assert_eq!(returned(&back, LEAF, frame.token), None);
            assert_eq!(returned(&back, OWN, frame.token + 1), None);
            for length in 0..back.len() {
                assert_eq!(returned(&back[..length], OWN, frame.token), None);
            }
        }
    }

    #[test]
    fn the_checksums_are_those_that_receivers_compute() {
        let bytes = sent(false).encode();
        // The sum over a header with its checksum is zero.
        assert_eq!(checksum(&bytes[14..34]), 0);
        for v6 in [false, true] {
            let frame = sent(v6);
            let bytes = frame.encode();
            let segment = &bytes[Place::of(v6).port - 2..];
            assert_eq!(frame.checksum(segment), u16::MAX);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..96)) {
            let own = bytes.get(..6).and_then(|it| it.try_into().ok()).unwrap_or(OWN);
            prop_assert_eq!(returned(&bytes, own, 1), None);
        }
    }
}
