//! Are the addresses of the API on this machine?

use std::net::{IpAddr, SocketAddr};

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};

use super::{Subject, finding::Group};

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("addresses");
    let owned = match owned() {
        Ok(owned) => owned,
        Err(error) => {
            group.failed(
                "addresses of this machine",
                error.to_string(),
                "run it on Linux",
            );
            return group;
        }
    };
    let mut addresses: Vec<_> = subject
        .config
        .listen
        .api
        .iter()
        .map(SocketAddr::ip)
        .collect();
    addresses.dedup();
    let bgp = subject.config.bgp.as_ref();
    for address in addresses {
        if address.is_loopback() || address.is_unspecified() {
            group.ok(format!("{address} is on every machine"));
            continue;
        }
        match owned.iter().find(|own| own.address == address) {
            Some(own) if own.loopback => group.ok(format!("{address} is on {}", own.interface)),
            Some(own) => group.warning(
                format!("{address} is on {}", own.interface),
                "an anycast address on a network interface is answered for by ARP and neighbour \
                 discovery on that link, past the verdict",
                format!("ip address del it there; ip address add {}", on_lo(address)),
            ),
            None if subject.node.is_none() && bgp.is_some_and(|bgp| bgp.manages(address)) => group
                .ok(format!(
                    "{address} is put on lo when the node serves (bgp.manage-addresses)"
                )),
            None => group.failed(
                format!("{address} is on no interface"),
                "the kernel drops packets to it, though the listener can be bound",
                format!("ip address add {}", on_lo(address)),
            ),
        }
    }
    group
}

fn on_lo(address: IpAddr) -> String {
    format!(
        "{address}/{} dev lo",
        if address.is_ipv4() { 32 } else { 128 }
    )
}

struct Own {
    address: IpAddr,
    interface: String,
    loopback: bool,
}

fn owned() -> nix::Result<Vec<Own>> {
    let own = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = super::peers::ip(interface.address.as_ref()?)?;
        Some(Own {
            address,
            interface: interface.interface_name,
            loopback: interface.flags.contains(InterfaceFlags::IFF_LOOPBACK),
        })
    };
    Ok(getifaddrs()?.filter_map(own).collect())
}
