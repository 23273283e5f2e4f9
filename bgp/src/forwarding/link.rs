//! The link to a peer, and what this node is called on it.

use std::net::{IpAddr, SocketAddr};

use nix::ifaddrs::getifaddrs;
use nix::libc;
use nix::sys::socket::LinkAddr;

use super::frame::Mac;
use crate::session::Terms;
use crate::socket::resolve;
use crate::{Interface, Ttl};

/// Source addresses of the packets to one prefix at most.
const SOURCES: usize = 4;

/// How a peer is reached.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// Our end.
    pub(super) own: LinkAddr,
    /// The peer's end.
    pub(super) peer: Mac,
    /// The addresses of this node: those on the link first.
    addresses: Vec<IpAddr>,
}

// === impl Link ===

impl Link {
    /// The link of a session between `local` and `remote`. Linear in the addresses of this node.
    ///
    /// # Errors
    ///
    /// Why there is none that a packet could come back on, as one sentence.
    pub(super) fn find(
        terms: &Terms,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<Self, String> {
        if matches!(
            terms.peer.ttl,
            Ttl::Multihop(2..) | Ttl::Security { hops: 2.. }
        ) {
            return Err("the peer is not on a link of this node (multihop)".to_owned());
        }
        let entries = getifaddrs()
            .map_err(|error| format!("the interfaces of this node cannot be listed: {error}"))?;
        let (mut links, mut addresses) = (Vec::new(), Vec::new());
        for entry in entries {
            let Some(address) = entry.address else {
                continue;
            };
            if let Some(link) = address.as_link_addr() {
                links.push((entry.interface_name, *link));
            } else if let Some(address) = ip(&address) {
                addresses.push((entry.interface_name, address));
            }
        }
        let local = local.ip().to_canonical();
        let interface = terms.peer.interface.as_ref().map(Interface::as_str);
        let holder = addresses.iter().find(|(_, address)| *address == local);
        let interface = interface.or(holder.map(|(name, _)| name.as_str()));
        let is_it = |(name, link): &&(String, LinkAddr)| match remote {
            SocketAddr::V6(remote) if remote.scope_id() != 0 => {
                usize::try_from(remote.scope_id()) == Ok(link.ifindex())
            }
            _ => Some(name.as_str()) == interface,
        };
        let Some((name, own)) = links.iter().find(is_it) else {
            return Err(format!("no interface of this node has {local}"));
        };
        if own.hatype() != libc::ARPHRD_ETHER {
            return Err(format!("the session is over {name}, which is no Ethernet"));
        }
        let index = u32::try_from(own.ifindex()).expect("the kernel's numbers are small");
        let remote = remote.ip().to_canonical();
        let peer = resolve(index, remote)
            .map_err(|error| format!("the kernel does not say who {remote} is: {error}"))?
            .ok_or_else(|| format!("{remote} is no neighbour on {name}"))?;
        addresses.sort_by_key(|(holder, _)| holder != name);
        Ok(Self {
            own: *own,
            peer,
            addresses: addresses.into_iter().map(|(_, address)| address).collect(),
        })
    }

    /// Whether `address` is this node's.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    pub(super) fn own_mac(&self) -> Mac {
        self.own.addr().unwrap_or_default()
    }

    /// What packets to `target` are sent from: own addresses, so that what comes back ends here
    /// as a martian, several of them because a peer may check some against its routes (RFC 3704).
    /// The target itself is one: where it was accepted, such a check lets it pass.
    pub(super) fn sources(&self, next_hop: IpAddr, target: IpAddr) -> Vec<IpAddr> {
        let own = self.addresses.iter().copied();
        let mut sources = Vec::new();
        for address in std::iter::once(next_hop).chain(own) {
            let fits = address.is_ipv4() == target.is_ipv4() && !address.is_loopback();
            if fits && address != target && !sources.contains(&address) {
                sources.push(address);
            }
        }
        sources.truncate(SOURCES - 1);
        sources.push(target);
        sources
    }
}

fn ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}
