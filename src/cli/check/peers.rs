//! Can the leaf switches be reached?

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Duration,
};

use futures::future::join_all;
use ipnet::IpNet;
use metal_bgp::Ttl;
use metal_bgp::{DaemonAddress, ask_daemon};
use nix::{ifaddrs::getifaddrs, net::if_::if_nametoindex, sys::socket::SockaddrStorage};
use tokio::net::TcpStream;

use super::{Subject, finding::Group};
use crate::config::{Bgp, Peer};

/// A leaf is one hop away.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn check(subject: &Subject) -> Group {
    let mut group = Group::new("peers");
    let bgp = subject.config.bgp.as_ref();
    if let Some((bgp, address)) = bgp.and_then(|bgp| Some((bgp, bgp.daemon.as_ref()?))) {
        daemon(&mut group, bgp, address).await;
        allowed(&mut group, bgp);
        return group;
    }
    let Some(bgp) = bgp.filter(|bgp| !bgp.peers.is_empty()) else {
        group.ok("no peer is configured: nothing is announced");
        return group;
    };
    let reached = join_all(bgp.peers.iter().map(reach)).await;
    for (peer, reached) in bgp.peers.iter().zip(reached) {
        match peer.address {
            Some(address) => route(&mut group, peer, address),
            None => link(&mut group, peer),
        }
        session(&mut group, subject, peer, reached);
    }
    if !forwarding(&mut group, subject, bgp) {
        allowed(&mut group, bgp);
    }
    group
}

/// The external daemon that has the sessions.
async fn daemon(group: &mut Group, bgp: &Bgp, address: &DaemonAddress) {
    let facts = match ask_daemon(address).await {
        Ok(facts) => facts,
        Err(error) => {
            group.failed(
                format!("BGP daemon at {address}"),
                error,
                "start it, and see that bgp.daemon is the address of its API (gobgpd --api-hosts)",
            );
            return;
        }
    };
    group.ok(format!("the BGP daemon at {address} speaks {}", facts.api));
    if facts.asn != bgp.asn.get() {
        group.failed(
            format!("the daemon's AS is {}", facts.asn),
            format!(
                "bgp.asn is {}: what is prepended would be another AS",
                bgp.asn
            ),
            "write the daemon's AS into bgp.asn",
        );
    }
    match facts.established {
        0 => group.warning(
            "the daemon has no established session",
            "nobody learns of the prefixes",
            "see its neighbours: gobgp neighbor",
        ),
        count => group.ok(format!(
            "sessions of the daemon that are established: {count}"
        )),
    }
}

/// A peer that is known by its interface.
fn link(group: &mut Group, peer: &Peer) {
    let name = peer.name();
    match if_nametoindex(name.as_str()) {
        Ok(_) => group.ok(format!("the interface {name} is there")),
        Err(_) => group.failed(
            format!("interface {name}"),
            "this node has none of that name",
            "correct bgp.peer.interface, or bring it up",
        ),
    }
}

fn route(group: &mut Group, peer: &Peer, address: IpAddr) {
    if peer.ttl != Ttl::Direct || peer.interface.is_some() {
        return;
    }
    match source(address) {
        Err(error) => group.failed(
            format!("route to {address}"),
            error.to_string(),
            "give an interface an address in the leaf's subnet",
        ),
        Ok(ours) => match subnet(ours) {
            Some(subnet) if subnet.contains(&address) => {
                group.ok(format!(
                    "{address} is in our subnet {}, from {ours}",
                    subnet.trunc()
                ));
            }
            _ => group.warning(
                format!("{address} is reached from {ours} through a router"),
                "an external session is expected one hop away: most leaves drop others",
                "give an interface an address in the leaf's subnet",
            ),
        },
    }
}

fn session(group: &mut Group, subject: &Subject, peer: &Peer, reached: Option<io::Result<()>>) {
    let what = format!("{} port {}", peer.name(), peer.port);
    // A second connection beside an established session would be refused.
    let seen = subject.report.iter().flat_map(|report| &report.peers);
    let mut seen = seen.filter(|seen| seen.address == peer.name());
    if let Some(seen) = seen.next().filter(|seen| seen.state == "Established") {
        group.ok(format!(
            "{what}: the running node's session is {}",
            seen.state
        ));
        return;
    }
    if peer.passive {
        group.ok(format!(
            "{} is not tried: it is waited for (passive), and must connect to this node",
            peer.name()
        ));
        return;
    }
    let Some(reached) = reached else {
        group.ok(format!(
            "{what} is not tried: only the node's own connections are made as it demands"
        ));
        return;
    };
    match reached {
        Ok(()) => group.ok(format!("{what} takes connections")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => group.failed(
            what,
            "connection refused: no BGP speaker listens there for us",
            "configure us as a neighbour on the leaf, and see that its BGP daemon runs",
        ),
        Err(error) => group.failed(
            what,
            error.to_string(),
            "see that the link is up, and that no filter is between",
        ),
    }
}

/// What the running node found out about the leaf's forwarding. Whether it says of every prefix.
fn forwarding(group: &mut Group, subject: &Subject, bgp: &Bgp) -> bool {
    let seen = subject.report.iter().flat_map(|report| &report.peers);
    let mut whole = bgp.peers.len();
    for seen in seen {
        let (name, Some(shown)) = (&seen.address, &seen.forwarding) else {
            continue;
        };
        if let Some(why) = &shown.unverified {
            group.ok(format!(
                "note: whether {name} sends the prefixes here is not looked at: {why}"
            ));
        }
        if !shown.verified.is_empty() {
            group.ok(format!("{name} sends {} here", words(&shown.verified)));
        }
        if !shown.missing.is_empty() {
            group.warning(
                format!("{name} does not send {} here", words(&shown.missing)),
                "its import policy refuses it, or it prefers another path",
                "permit the prefix for this neighbor on the leaf (FRR: route-map or prefix-list in)",
            );
        }
        let all = shown.verified.len() + shown.missing.len() == bgp.announce.len();
        whole -= usize::from(all && whole > 0);
    }
    whole == 0
}

fn words(prefixes: &[IpNet]) -> String {
    let words: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
    words.join(" ")
}

/// What no look from here can find out.
fn allowed(group: &mut Group, bgp: &Bgp) {
    let prefixes = words(&bgp.announce);
    if prefixes.is_empty() {
        return;
    }
    group.ok(format!(
        "note: the leaf's inbound route map drops what is outside of this machine's allowed \
         CIDRs, and says nothing: {prefixes} must be among them"
    ));
}

/// `None` for a peer that answers connections with a key, a TTL or an address of their own, which
/// this one has not.
async fn reach(peer: &Peer) -> Option<io::Result<()>> {
    let special = peer.md5_key_file.is_some() || peer.ttl != Ttl::Direct || peer.source.is_some();
    if special || peer.passive || peer.interface.is_some() {
        return None;
    }
    Some(connect(SocketAddr::new(peer.address?, peer.port)).await)
}

async fn connect(address: SocketAddr) -> io::Result<()> {
    let timeout = || io::Error::other(format!("no answer within {} s", TIMEOUT.as_secs()));
    let connected = tokio::time::timeout(TIMEOUT, TcpStream::connect(address)).await;
    connected.map_err(|_| timeout())??;
    Ok(())
}

/// The address that we would use towards `peer`. Connecting a UDP socket sends
/// nothing.
fn source(peer: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((peer, 179))?;
    Ok(socket.local_addr()?.ip())
}

/// The subnet of one of our addresses.
fn subnet(ours: IpAddr) -> Option<IpNet> {
    getifaddrs().ok()?.find_map(|interface| {
        let address = ip(interface.address.as_ref()?)?;
        let mask = ip(interface.netmask.as_ref()?)?;
        let length = ipnet::ip_mask_to_prefix(mask).ok()?;
        (address == ours).then(|| IpNet::new(address, length).ok())?
    })
}

/// The IP address in a socket address, if it is one.
pub(super) fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|found| found.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|found| found.ip().into()))
}
