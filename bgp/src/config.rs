//! What a speaker is made from.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::{Asn, ConfigError};

/// The most peers that one speaker may have.
pub const MAX_PEERS: usize = 64;

const MAX_WAIT: Duration = Duration::from_secs(300);

/// A speaker: who it is, and whom it peers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerConfig {
    /// Our AS number. A peer with the same one is an internal peer (iBGP).
    pub asn: Asn,
    /// Our BGP identifier (RFC 6286).
    pub router_id: Ipv4Addr,
    /// The leaf switches. None is allowed: such a speaker announces to nobody.
    pub peers: Vec<PeerConfig>,
}

/// One peer. Made by [`PeerConfig::new`]; every field may be changed before the speaker starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerConfig {
    /// Its address. IPv4 and IPv6 prefixes are both announced over either.
    pub address: IpAddr,
    /// Its TCP port, normally 179.
    pub port: u16,
    /// The AS number that it must give in its OPEN.
    pub asn: Asn,
    /// Proposed hold time (RFC 4271 section 4.2): the smaller one of both sides counts, and a
    /// third of it is the keepalive interval. Zero switches both off. Default 8 s.
    pub hold_time: Duration,
    /// Wait before the second connection attempt; it doubles from try to try, with a jitter of a
    /// quarter. Default 250 ms.
    pub retry_min: Duration,
    /// The longest wait between two connection attempts. Default 5 s.
    pub retry_max: Duration,
    /// How long one connection attempt may take. Default 3 s.
    pub connect_timeout: Duration,
    /// Next hop of IPv4 prefixes. Default: the session's local address, or over an IPv6 session
    /// the first global IPv4 address of the interface that holds it.
    pub next_hop_v4: Option<Ipv4Addr>,
    /// Next hop of IPv6 prefixes. Default: the session's local address, or over an IPv4 session
    /// the first global IPv6 address of the interface that holds it.
    pub next_hop_v6: Option<Ipv6Addr>,
}

// === impl SpeakerConfig ===

impl SpeakerConfig {
    /// Checks everything that can be known before a connection is tried.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let id = self.router_id;
        if id.is_unspecified() || id.is_loopback() || id.is_multicast() || id.is_broadcast() {
            return Err(ConfigError::RouterId(id));
        }
        if self.peers.len() > MAX_PEERS {
            return Err(ConfigError::TooManyPeers(self.peers.len()));
        }
        let mut seen = HashMap::new();
        for (position, peer) in self.peers.iter().enumerate() {
            peer.validate(position)?;
            if let Some(first) = seen.insert((peer.address, peer.port), position) {
                return Err(ConfigError::DuplicatePeer {
                    address: peer.address,
                    first,
                    second: position,
                });
            }
        }
        Ok(())
    }
}

// === impl PeerConfig ===

impl PeerConfig {
    /// A peer with every default.
    pub fn new(address: IpAddr, asn: Asn) -> Self {
        Self {
            address,
            port: 179,
            asn,
            hold_time: Duration::from_secs(8),
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            next_hop_v4: None,
            next_hop_v6: None,
        }
    }

    fn validate(&self, peer: usize) -> Result<(), ConfigError> {
        self.validate_address(peer)?;
        if self.port == 0 {
            return Err(ConfigError::Port { peer });
        }
        let seconds = self.hold_time.as_secs();
        let whole = self.hold_time.subsec_nanos() == 0;
        if !whole || seconds > 65_535 || (1..3).contains(&seconds) {
            return Err(ConfigError::HoldTime {
                peer,
                hold_time: self.hold_time,
            });
        }
        for (field, value) in [
            ("retry-min", self.retry_min),
            ("retry-max", self.retry_max),
            ("connect-timeout", self.connect_timeout),
        ] {
            if value < Duration::from_millis(10) || value > MAX_WAIT {
                return Err(ConfigError::Wait {
                    peer,
                    field,
                    value,
                    reason: "must be from 10ms to 300s",
                });
            }
        }
        if self.retry_max < self.retry_min {
            return Err(ConfigError::Wait {
                peer,
                field: "retry-max",
                value: self.retry_max,
                reason: "must not be shorter than retry-min",
            });
        }
        self.validate_next_hops(peer)
    }

    fn validate_address(&self, peer: usize) -> Result<(), ConfigError> {
        let reason = match self.address {
            a if a.is_unspecified() => "the unspecified address is nobody's",
            a if a.is_multicast() => "a multicast address cannot be a peer",
            IpAddr::V4(a) if a.is_broadcast() => "the broadcast address cannot be a peer",
            IpAddr::V6(a) if a.is_unicast_link_local() => {
                "a link-local address says nothing without its interface"
            }
            IpAddr::V6(a) if a.to_ipv4_mapped().is_some() => {
                "write an IPv4 address as such, not mapped into IPv6"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::Address {
            peer,
            address: self.address,
            reason,
        })
    }

    fn validate_next_hops(&self, peer: usize) -> Result<(), ConfigError> {
        let v4 = self.next_hop_v4.filter(|a| {
            a.is_unspecified()
                || a.is_loopback()
                || a.is_multicast()
                || a.is_broadcast()
                || a.is_link_local()
        });
        if let Some(address) = v4 {
            return Err(ConfigError::NextHop {
                peer,
                field: "next-hop-v4",
                address: address.into(),
            });
        }
        let v6 = self.next_hop_v6.filter(|a| {
            a.is_unspecified()
                || a.is_loopback()
                || a.is_multicast()
                || a.is_unicast_link_local()
                || a.to_ipv4_mapped().is_some()
        });
        if let Some(address) = v6 {
            return Err(ConfigError::NextHop {
                peer,
                field: "next-hop-v6",
                address: address.into(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asn(number: u32) -> Asn {
        number.try_into().unwrap()
    }

    fn with(change: impl FnOnce(&mut SpeakerConfig)) -> SpeakerConfig {
        let peer = |text: &str| PeerConfig::new(text.parse().unwrap(), asn(65_001));
        let mut config = SpeakerConfig {
            asn: asn(4_200_000_001),
            router_id: Ipv4Addr::new(10, 0, 0, 1),
            peers: vec![peer("10.0.0.254"), peer("2001:db8::254")],
        };
        change(&mut config);
        config
    }

    #[test]
    fn the_defaults_are_accepted() {
        assert_eq!(with(|_| ()).validate(), Ok(()));
        assert_eq!(with(|c| c.peers.clear()).validate(), Ok(()));
    }

    #[test]
    fn every_mistake_names_its_field() {
        let second = Duration::from_secs(1);
        let cases: [(&str, SpeakerConfig); 13] = [
            ("router-id", with(|c| c.router_id = Ipv4Addr::UNSPECIFIED)),
            ("router-id", with(|c| c.router_id = Ipv4Addr::LOCALHOST)),
            ("peer[1].address", with(|c| c.peers[1] = c.peers[0].clone())),
            (
                "peer[0].address",
                with(|c| c.peers[0].address = "0.0.0.0".parse().unwrap()),
            ),
            (
                "peer[1].address",
                with(|c| c.peers[1].address = "fe80::1".parse().unwrap()),
            ),
            (
                "peer[1].address",
                with(|c| c.peers[1].address = "::ffff:10.0.0.1".parse().unwrap()),
            ),
            ("peer[0].port", with(|c| c.peers[0].port = 0)),
            (
                "peer[1].hold-time",
                with(|c| c.peers[1].hold_time = 2 * second),
            ),
            (
                "peer[0].hold-time",
                with(|c| c.peers[0].hold_time = Duration::from_millis(3500)),
            ),
            (
                "peer[0].hold-time",
                with(|c| c.peers[0].hold_time = 65_536 * second),
            ),
            (
                "peer[0].retry-max",
                with(|c| c.peers[0].retry_max = Duration::from_millis(100)),
            ),
            (
                "peer[0].connect-timeout",
                with(|c| c.peers[0].connect_timeout = Duration::ZERO),
            ),
            (
                "peer[1].next-hop-v6",
                with(|c| c.peers[1].next_hop_v6 = Some("fe80::1".parse().unwrap())),
            ),
        ];
        for (field, config) in cases {
            let error = config.validate().unwrap_err();
            assert_eq!(error.field(), field);
            assert!(error.to_string().starts_with(field), "{error}");
        }
    }

    #[test]
    fn a_hold_time_of_zero_or_three_seconds_is_accepted() {
        for seconds in [0, 3, 65_535] {
            let config = with(|c| c.peers[0].hold_time = Duration::from_secs(seconds));
            assert_eq!(config.validate(), Ok(()));
        }
    }
}
