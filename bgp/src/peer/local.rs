//! Addresses of this node.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;

use crate::session::Candidates;

/// More addresses of one interface than this are not looked at.
const MAX_CANDIDATES: usize = 16;

/// The addresses that may be next hops of a session whose local address is `local`: the global
/// ones of the interface that holds it, in the kernel's order. None if the kernel does not say.
pub(super) fn candidates(local: IpAddr) -> Candidates {
    let addresses: Vec<(String, IpAddr)> = match getifaddrs() {
        Ok(entries) => entries
            .filter_map(|entry| {
                let storage = entry.address?;
                let v4 = storage.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
                let v6 = || storage.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip()));
                Some((entry.interface_name, v4.or_else(v6)?))
            })
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "the addresses of this node cannot be listed");
            Vec::new()
        }
    };
    let holder = addresses.iter().find(|(_, address)| *address == local);
    let holder = holder.map(|(interface, _)| interface.as_str());
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (interface, address) in &addresses {
        if Some(interface.as_str()) != holder || *address == local {
            continue;
        }
        match address {
            IpAddr::V4(a) if usable_v4(*a) && v4.len() < MAX_CANDIDATES => v4.push(*a),
            IpAddr::V6(a) if usable_v6(*a) && v6.len() < MAX_CANDIDATES => v6.push(*a),
            _ => {}
        }
    }
    Candidates { local, v4, v6 }
}

fn usable_v4(a: Ipv4Addr) -> bool {
    !(a.is_unspecified() || a.is_loopback() || a.is_link_local() || a.is_multicast())
}

fn usable_v6(a: Ipv6Addr) -> bool {
    !(a.is_unspecified() || a.is_loopback() || a.is_unicast_link_local() || a.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_no_next_hop_for_anybody() {
        let found = candidates(Ipv4Addr::LOCALHOST.into());
        assert!(!found.v6.contains(&Ipv6Addr::LOCALHOST));
        assert_eq!(found.local, IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
}
