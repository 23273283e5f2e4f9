//! The packets, as they go over the wire: UDP in IPv4 or IPv6, and ICMP errors in IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// No frame of ours is longer.
pub(crate) const FRAME: usize = 80;

/// Where traceroute sends to: packets that end there surprise nobody.
const PORT: u16 = 33_434;

/// Enough for the peer to forward it once: no loop, and nothing further away hears of it.
const TTL: u8 = 2;

const ETHERNET: usize = 14;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// Of UDP, and of ICMP.
const HEADER: usize = 8;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
const UDP: u8 = 17;
const ICMP: u8 = 1;
/// ICMP type and code: time to live exceeded in transit.
const TIME_EXCEEDED: u16 = 0x0B00;

/// A link-layer address.
pub(crate) type Mac = [u8; 6];

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Routers that look at ports take each source port for another flow.
    UdpV4,
    /// So do they, or each flow label.
    UdpV6,
    /// About a packet that never was. Routers that look at addresses alone (Linux, unless it is
    /// told otherwise) take those of the packet that an error is about, which may be any; and no
    /// host answers an error.
    ErrorV4,
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) to: Mac,
    pub(super) from: Mac,
    /// Both addresses are of the family of the kind.
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
    /// What makes it another flow.
    pub(super) flow: u16,
    pub(super) token: u64,
}

/// Where in a frame of some kind is what tells ours from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) protocol: (usize, u8),
    /// The port, or what the error is.
    pub(super) purpose: (usize, u16),
    pub(super) token: usize,
}

// === impl Kind ===

impl Kind {
    pub(super) const fn is_v6(self) -> bool {
        matches!(self, Self::UdpV6)
    }

    pub(super) const fn marks(self) -> Marks {
        let payload = ETHERNET
            + if self.is_v6() {
                IPV6_HEADER
            } else {
                IPV4_HEADER
            };
        match self {
            Self::UdpV4 => Marks {
                protocol: (ETHERNET + 9, UDP),
                purpose: (payload + 2, PORT),
                token: payload + HEADER,
            },
            Self::UdpV6 => Marks {
                protocol: (ETHERNET + 6, UDP),
                purpose: (payload + 2, PORT),
                token: payload + HEADER,
            },
            Self::ErrorV4 => Marks {
                protocol: (ETHERNET + 9, ICMP),
                purpose: (payload, TIME_EXCEEDED),
                token: payload + HEADER + IPV4_HEADER + HEADER,
            },
        }
    }
}

// === impl Frame ===

impl Frame {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(FRAME);
        frame.extend(self.to);
        frame.extend(self.from);
        match (self.kind, self.source, self.target) {
            (Kind::ErrorV4, IpAddr::V4(source), IpAddr::V4(target)) => {
                let error = self.error();
                frame.extend(IPV4.to_be_bytes());
                frame.extend(ipv4(source, target, ICMP, error.len()));
                frame.extend(error);
            }
            (_, IpAddr::V4(source), IpAddr::V4(target)) => {
                let datagram = self.udp();
                frame.extend(IPV4.to_be_bytes());
                frame.extend(ipv4(source, target, UDP, datagram.len()));
                frame.extend(datagram);
            }
            _ => {
                let datagram = self.udp();
                frame.extend(IPV6.to_be_bytes());
                frame.extend(self.ipv6(datagram.len()));
                frame.extend(datagram);
            }
        }
        frame
    }

    fn udp(&self) -> Vec<u8> {
        let token = self.token.to_be_bytes();
        // Above those that services have.
        let mut datagram = udp_header(0x8000 | self.flow, token.len());
        datagram.extend(token);
        let mut covered = octets(self.source);
        covered.extend(octets(self.target));
        covered.extend([0, UDP]);
        covered.extend(&datagram[4..6]);
        covered.extend(&datagram);
        let sum = match checksum(&covered) {
            0 => u16::MAX,
            sum => sum,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
        datagram
    }

    /// What it is about is between two addresses for benchmarks (RFC 2544), which nobody has.
    fn error(&self) -> Vec<u8> {
        let [_, _, _, _, a, b, c, d] = self.token.to_be_bytes();
        let [e, f] = self.flow.to_be_bytes();
        let about = (
            Ipv4Addr::new(198, 18, a ^ e, b ^ f),
            Ipv4Addr::new(198, 19, c, d),
        );
        let token = self.token.to_be_bytes();
        let mut error = TIME_EXCEEDED.to_be_bytes().to_vec();
        error.extend([0; 6]);
        error.extend(ipv4(about.0, about.1, UDP, HEADER + token.len()));
        error.extend(udp_header(0x8000 | self.flow, token.len()));
        error.extend(token);
        let sum = checksum(&error);
        error[2..4].copy_from_slice(&sum.to_be_bytes());
        error
    }

    fn ipv6(&self, length: usize) -> Vec<u8> {
        // Routers may spread flows by the flow label alone (RFC 6438).
        let mut header = (0x6000_0000 | u32::from(self.flow)).to_be_bytes().to_vec();
        header.extend((length as u16).to_be_bytes());
        header.extend([UDP, TTL]);
        header.extend(octets(self.source));
        header.extend(octets(self.target));
        header
    }
}

/// Where a frame of `kind` that arrived was meant for, if it is one of the round with `token`,
/// came back to the node with the link-layer address `own`, and was forwarded on the way.
pub(super) fn returned(frame: &[u8], kind: Kind, own: Mac, token: u64) -> Option<IpAddr> {
    if frame.get(..6)? != own {
        return None;
    }
    let target = match u16::from_be_bytes(array(frame, 12)?) {
        IPV4 if !kind.is_v6() && frame.get(14)? == &0x45 && frame.get(22)? < &TTL => {
            IpAddr::V4(Ipv4Addr::from(array::<4>(frame, 30)?))
        }
        IPV6 if kind.is_v6() && frame.get(21)? < &TTL => {
            IpAddr::V6(Ipv6Addr::from(array::<16>(frame, 38)?))
        }
        _ => return None,
    };
    let marks = kind.marks();
    let ours = *frame.get(marks.protocol.0)? == marks.protocol.1
        && u16::from_be_bytes(array(frame, marks.purpose.0)?) == marks.purpose.1
        && u64::from_be_bytes(array(frame, marks.token)?) == token;
    ours.then_some(target)
}

fn ipv4(source: Ipv4Addr, target: Ipv4Addr, protocol: u8, length: usize) -> Vec<u8> {
    let total = (IPV4_HEADER + length) as u16;
    // Not to be fragmented, so no identification is needed (RFC 6864).
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend([0, 0, 0x40, 0, TTL, protocol, 0, 0]);
    header.extend(source.octets());
    header.extend(target.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

/// Without a checksum.
fn udp_header(from: u16, length: usize) -> Vec<u8> {
    let mut header = from.to_be_bytes().to_vec();
    header.extend(PORT.to_be_bytes());
    header.extend(((HEADER + length) as u16).to_be_bytes());
    header.extend([0, 0]);
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
mod tests;
