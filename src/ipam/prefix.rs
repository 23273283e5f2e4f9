//! Prefixes and addresses as the numbers of a pool, and back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Block, Interval};

/// An address as a number: IPv4 from 0 to 2^32 - 1.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of this number in the family of `like`; none if the family has no such.
pub fn address(like: &IpNet, number: u128) -> Option<IpAddr> {
    match like {
        IpNet::V4(_) => {
            let number = u32::try_from(number).ok()?;
            Some(Ipv4Addr::from_bits(number).into())
        }
        IpNet::V6(_) => Some(Ipv6Addr::from_bits(number).into()),
    }
}

/// The addresses of a prefix.
pub fn interval(prefix: &IpNet) -> Interval {
    Interval {
        lo: number(prefix.network()),
        hi: number(prefix.broadcast()),
    }
}

/// The addresses of a prefix that are never handed out: its first, and in IPv4 its last. All of a
/// /31, /32 and /128, and half of a /127, are such.
pub fn reserved(prefix: &IpNet) -> Vec<Interval> {
    let Interval { lo, hi } = interval(prefix);
    match prefix {
        IpNet::V4(_) if lo < hi => vec![Interval::one(lo), Interval::one(hi)],
        _ => vec![Interval::one(lo)],
    }
}

/// The free host bits of a prefix of this length in the family of `like`: what
/// [`Want::Aligned`](super::Want) takes. None if the family has no such length.
pub fn bits(like: &IpNet, length: u8) -> Option<u8> {
    like.max_prefix_len().checked_sub(length)
}

/// The prefix that an aligned block is, in the family of `like`; none if it is not in the family.
pub fn prefix(like: &IpNet, block: Block) -> Option<IpNet> {
    let length = like.max_prefix_len().checked_sub(block.bits())?;
    match address(like, block.base())? {
        IpAddr::V4(address) => Ipv4Net::new(address, length).ok().map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, length).ok().map(IpNet::V6),
    }
}

/// The prefixes that an interval consists of, as few as possible, in order, in the family of
/// `like`; none if one is not in the family.
pub fn prefixes(like: &IpNet, interval: &Interval) -> Option<Vec<IpNet>> {
    interval.blocks().map(|block| prefix(like, block)).collect()
}
