//! One interface of this node.

use std::net::Ipv6Addr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

use crate::Interface;

/// An interface that can carry a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    /// The kernel's number for it, which changes when it is made anew.
    pub(super) index: u32,
    /// Our link-local address on it.
    pub(super) own: Ipv6Addr,
}

// === impl Link ===

impl Link {
    /// The interface as it is now. Linear in the addresses of this node.
    ///
    /// # Errors
    ///
    /// Why it cannot carry a session, as one sentence.
    pub(super) fn observe(interface: &Interface) -> Result<Self, String> {
        let index = if_nametoindex(interface.as_str())
            .map_err(|_| format!("this node has no interface {interface}"))?;
        let entries = getifaddrs()
            .map_err(|error| format!("the interfaces of this node cannot be listed: {error}"))?;
        let of = entries.filter(|entry| entry.interface_name == interface.as_str());
        let (mut running, mut own) = (false, None);
        for entry in of {
            running |= entry
                .flags
                .contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING);
            let address = entry.address.as_ref().and_then(|a| a.as_sockaddr_in6());
            own = own.or(address
                .map(|a| a.ip())
                .filter(Ipv6Addr::is_unicast_link_local));
        }
        match own {
            _ if !running => Err(format!("the interface {interface} is down")),
            None => Err(format!(
                "the interface {interface} has no IPv6 link-local address: \
                 net.ipv6.conf.{interface}.disable_ipv6 must be 0"
            )),
            Some(own) => Ok(Self { index, own }),
        }
    }
}
