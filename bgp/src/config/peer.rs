//! One peer of a speaker.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::{BfdConfig, Interface, PeerAs, Ttl};
use crate::{ConfigError, Md5Key};

const MAX_WAIT: Duration = Duration::from_secs(300);
const MIN_SEND_HOLD: Duration = Duration::from_secs(1);
const MAX_SEND_HOLD: Duration = Duration::from_secs(3600);

/// One peer. Made by [`PeerConfig::new`]; every field may be changed before the speaker starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerConfig {
    /// Its address. IPv4 and IPv6 prefixes are both announced over either. A link-local one needs
    /// the interface as well. `None`: whoever sends router advertisements on the interface
    /// ("unnumbered").
    pub address: Option<IpAddr>,
    /// Its TCP port, normally 179.
    pub port: u16,
    /// The AS that it must give in its OPEN.
    pub asn: PeerAs,
    /// Wait for the peer to connect instead of connecting to it (RFC 4271 section 8.1.1); needs
    /// [`SpeakerConfig::listen`](crate::SpeakerConfig::listen), and is not for peers that are known
    /// by their interface. Default: connect.
    pub passive: bool,
    /// Proposed hold time (RFC 4271 section 4.2): the smaller one of both sides counts, and a
    /// third of it is the keepalive interval. Zero switches both off. Default 8 s.
    pub hold_time: Duration,
    /// How long bytes may wait for a peer that takes none, before it is left (RFC 9687). Longer
    /// than the hold time, at most an hour. Default: twice the hold time, a minute without one;
    /// less than the eight minutes of the RFC, because a leaf that no longer reads can no longer
    /// be told to withdraw.
    pub send_hold_time: Option<Duration>,
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
    /// Signs the connection (RFC 2385). The peer must have the same key. Default: none.
    pub md5_key: Option<Md5Key>,
    /// How far away the peer may be. Default: on the same link.
    pub ttl: Ttl,
    /// The address that connections are made from. Default: the kernel chooses.
    pub source: Option<IpAddr>,
    /// The interface that connections are bound to; the peer is reached through it whatever the
    /// routes say. This node sends router advertisements there if the peer is unnumbered or has a
    /// link-local address. Default: none.
    pub interface: Option<Interface>,
    /// Watches the way to the peer. Default: no BFD.
    pub bfd: Option<BfdConfig>,
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.is_unicast_link_local())
}

// === impl PeerConfig ===

impl PeerConfig {
    /// A peer without an address, at the other end of an interface, with every default. It is
    /// found by its router advertisements, and IPv4 prefixes are announced to it with an IPv6
    /// next hop (RFC 8950).
    pub fn unnumbered(interface: Interface, asn: impl Into<PeerAs>) -> Self {
        Self {
            address: None,
            interface: Some(interface),
            ..Self::new(Ipv6Addr::UNSPECIFIED.into(), asn)
        }
    }

    /// A peer with every default.
    pub fn new(address: IpAddr, asn: impl Into<PeerAs>) -> Self {
        Self {
            address: Some(address),
            port: 179,
            asn: asn.into(),
            passive: false,
            hold_time: Duration::from_secs(8),
            send_hold_time: None,
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            next_hop_v4: None,
            next_hop_v6: None,
            md5_key: None,
            ttl: Ttl::default(),
            source: None,
            interface: None,
            bfd: None,
        }
    }

    /// Whether both mean the same peer, perhaps on other terms.
    pub(crate) fn is_same_peer(&self, other: &Self) -> bool {
        (self.name(), self.port) == (other.name(), other.port)
    }

    pub(super) fn validate(&self, peer: usize) -> Result<(), ConfigError> {
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
        if let Some(value) = self.send_hold_time
            && (value <= self.hold_time || value < MIN_SEND_HOLD || value > MAX_SEND_HOLD)
        {
            return Err(ConfigError::Wait {
                peer,
                field: "send-hold-time",
                value,
                reason: "must be longer than hold-time, from 1s to 1h",
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
        if let Some(reason) = self.bfd.and_then(|bfd| bfd.mistake()) {
            return Err(ConfigError::Bfd { peer, reason });
        }
        if self.on_link() && self.bfd.is_some_and(|bfd| bfd.multihop) {
            let reason = "multihop is not for a peer on a link";
            return Err(ConfigError::Bfd { peer, reason });
        }
        let far = matches!(self.ttl, Ttl::Multihop(_));
        if !self.ttl.is_valid() || (far && self.on_link()) {
            return Err(ConfigError::Ttl {
                peer,
                ttl: self.ttl,
            });
        }
        self.validate_source(peer)?;
        self.validate_next_hops(peer)
    }

    /// How the peer is called where people read: its address, with the interface where that is
    /// needed, or the interface alone.
    pub fn name(&self) -> String {
        match (self.address, &self.interface) {
            (Some(address), Some(interface)) if is_link_local(address) => {
                format!("{address}%{interface}")
            }
            (Some(address), _) => address.to_string(),
            (None, Some(interface)) => interface.to_string(),
            (None, None) => "?".to_owned(),
        }
    }

    /// Whether the peer is on the link of its interface, and nowhere else.
    pub(crate) fn on_link(&self) -> bool {
        self.address.is_none_or(is_link_local)
    }

    fn validate_source(&self, peer: usize) -> Result<(), ConfigError> {
        let Some(source) = self.source else {
            return Ok(());
        };
        let reason = match source {
            _ if self.on_link() => "cannot be chosen: it is the interface's link-local address",
            a if Some(a) == self.address => "is the peer's own address",
            a if a.is_unspecified() || a.is_multicast() => "is no address of a node",
            a if self.address.is_some_and(|to| to.is_ipv4() != a.is_ipv4()) => {
                "is not of the address's family"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::Source {
            peer,
            address: source,
            reason,
        })
    }

    fn validate_address(&self, peer: usize) -> Result<(), ConfigError> {
        let Some(address) = self.address else {
            return match self.interface {
                Some(_) => Ok(()),
                None => Err(ConfigError::NoAddress { peer }),
            };
        };
        let reason = match address {
            a if a.is_unspecified() => "the unspecified address is nobody's",
            a if a.is_multicast() => "a multicast address cannot be a peer",
            IpAddr::V4(a) if a.is_broadcast() => "the broadcast address cannot be a peer",
            a if is_link_local(a) && self.interface.is_none() => {
                "a link-local address says nothing without its interface"
            }
            IpAddr::V6(a) if a.to_ipv4_mapped().is_some() => {
                "write an IPv4 address as such, not mapped into IPv6"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::Address {
            peer,
            address,
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
