//! Where a peer is to send the traffic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::PeerConfig;

/// Addresses of this node that may serve as next hop on one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// The local address of the TCP connection.
    pub(crate) local: IpAddr,
    /// Other global IPv4 addresses of the interface that holds it.
    pub(crate) v4: Vec<Ipv4Addr>,
    /// Other global IPv6 addresses of the interface that holds it.
    pub(crate) v6: Vec<Ipv6Addr>,
}

// === impl Candidates ===

impl Candidates {
    /// The next hop of IPv4 prefixes, if there is one: configured, else the session's own
    /// address, else another address of its interface. An address that is itself announced is
    /// none: the peer would be sent back to the route that it is about to install. With
    /// `extended` next hops (RFC 8950) an IPv6 address will do: a link-local one always, as such
    /// links have no IPv4 addresses, another one for want of an IPv4 address.
    pub(crate) fn v4(
        &self,
        peer: &PeerConfig,
        announced: &[IpNet],
        extended: bool,
    ) -> Option<IpAddr> {
        let (local, over_v6, on_link) = match self.local {
            IpAddr::V4(local) => (Some(local), None, false),
            IpAddr::V6(local) => (None, Some(self.local), local.is_unicast_link_local()),
        };
        let over_v6 = over_v6.filter(|_| extended);
        let found = self.v4.iter().copied().map(IpAddr::V4);
        let found = found.into_iter().find(|a| !is_announced(a, announced));
        let numbered = peer.next_hop_v4.or(local).map(IpAddr::V4);
        match on_link {
            true => numbered.or(over_v6).or(found),
            false => numbered.or(found).or(over_v6),
        }
    }

    /// The same for IPv6 prefixes.
    pub(crate) fn v6(&self, peer: &PeerConfig, announced: &[IpNet]) -> Option<IpAddr> {
        let local = match self.local {
            IpAddr::V6(local) => Some(local),
            IpAddr::V4(_) => None,
        };
        let found = self.v6.iter().copied().map(IpAddr::V6);
        let found = found.into_iter().find(|a| !is_announced(a, announced));
        peer.next_hop_v6.or(local).map(IpAddr::V6).or(found)
    }
}

fn is_announced(address: &IpAddr, announced: &[IpNet]) -> bool {
    announced.iter().any(|p| *p == IpNet::from(*address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Asn;

    fn peer() -> PeerConfig {
        PeerConfig::new(
            "10.0.0.254".parse().unwrap(),
            Asn::try_from(65_001).unwrap(),
        )
    }

    fn over_v4(v6: &[&str]) -> Candidates {
        Candidates {
            local: "10.0.0.1".parse().unwrap(),
            v4: vec!["10.0.0.9".parse().unwrap()],
            v6: v6.iter().map(|a| a.parse().unwrap()).collect(),
        }
    }

    fn is(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_local_address_of_the_session_is_the_next_hop_of_its_own_family() {
        assert_eq!(over_v4(&[]).v4(&peer(), &[], false), is("10.0.0.1"));
    }

    #[test]
    fn the_other_family_uses_an_address_of_the_same_interface_or_none() {
        assert_eq!(
            over_v4(&["2001:db8:f::1"]).v6(&peer(), &[]),
            is("2001:db8:f::1")
        );
        assert_eq!(over_v4(&[]).v6(&peer(), &[]), None);
    }

    #[test]
    fn an_announced_address_is_never_its_own_next_hop() {
        let both = over_v4(&["2001:db8::1", "2001:db8:f::1"]);
        let announced = ["2001:db8::1/128".parse().unwrap()];
        assert_eq!(both.v6(&peer(), &announced), is("2001:db8:f::1"));
    }

    #[test]
    fn an_ipv6_session_with_extended_next_hops_needs_no_ipv4_address() {
        let mut over_v6 = Candidates {
            local: "fe80::1".parse().unwrap(),
            ..over_v4(&[])
        };
        assert_eq!(over_v6.v4(&peer(), &[], true), is("fe80::1"));
        assert_eq!(over_v6.v4(&peer(), &[], false), is("10.0.0.9"));
        assert_eq!(over_v6.v6(&peer(), &[]), is("fe80::1"));
        over_v6.local = "2001:db8:f::1".parse().unwrap();
        assert_eq!(over_v6.v4(&peer(), &[], true), is("10.0.0.9"));
        over_v6.v4.clear();
        assert_eq!(over_v6.v4(&peer(), &[], true), is("2001:db8:f::1"));
        assert_eq!(over_v6.v4(&peer(), &[], false), None);
    }

    #[test]
    fn a_configured_next_hop_wins() {
        let mut peer = peer();
        peer.next_hop_v4 = Some(Ipv4Addr::new(10, 9, 9, 9));
        peer.next_hop_v6 = Some("2001:db8:9::9".parse().unwrap());
        assert_eq!(
            over_v4(&["2001:db8:f::1"]).v4(&peer, &[], false),
            is("10.9.9.9")
        );
        assert_eq!(
            over_v4(&["2001:db8:f::1"]).v6(&peer, &[]),
            is("2001:db8:9::9")
        );
    }
}
