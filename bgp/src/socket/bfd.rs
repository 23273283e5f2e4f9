//! UDP sockets of BFD.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::Ipv4RecvTtl;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::connect::INTERNETWORK_CONTROL;
use crate::PeerConfig;

/// No packet of interest is longer; what is, is cut.
pub(crate) const DATAGRAM: usize = 128;

/// Where a session may send from (RFC 5881 section 4).
const SOURCE_PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Source ports that are tried before a session goes without.
const TRIES: usize = 16;

/// What packets arrive on.
#[derive(Debug)]
pub(crate) struct BfdListener(UdpSocket);

/// A packet and what the kernel says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    /// Or the hop limit.
    pub(crate) ttl: u8,
}

// === impl BfdListener ===

impl BfdListener {
    /// Listens for one family on every address of this node.
    pub(crate) fn open(v6: bool, port: u16) -> io::Result<Self> {
        let any: IpAddr = match v6 {
            false => Ipv4Addr::UNSPECIFIED.into(),
            true => Ipv6Addr::UNSPECIFIED.into(),
        };
        let address = SocketAddr::new(any, port);
        let socket = socket(address)?;
        match v6 {
            false => setsockopt(&socket, Ipv4RecvTtl, &true)?,
            true => {
                socket.set_only_v6(true)?;
                socket.set_recv_hoplimit_v6(true)?;
            }
        }
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into()).map(Self)
    }

    /// The next packet. Dropping the future loses none.
    pub(crate) async fn receive(&self, buffer: &mut [u8; DATAGRAM]) -> io::Result<Arrived> {
        self.0
            .async_io(Interest::READABLE, || take(&self.0, buffer))
            .await
    }
}

fn take(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Arrived> {
    let mut control = cmsg_space!(i32);
    let mut parts = [io::IoSliceMut::new(buffer)];
    let descriptor = socket.as_fd().as_raw_fd();
    let flags = MsgFlags::empty();
    let message = recvmsg::<SockaddrStorage>(descriptor, &mut parts, Some(&mut control), flags)?;
    let ttl = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => {
            u8::try_from(ttl).ok()
        }
        _ => None,
    });
    let from = message.address.ok_or(Errno::EBADMSG)?;
    let v4 = from.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    let v6 = || from.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into()));
    Ok(Arrived {
        length: message.bytes,
        from: v4.or_else(v6).ok_or(Errno::EBADMSG)?,
        // Unknown is as good as wrong.
        ttl: ttl.unwrap_or(0),
    })
}

/// A socket that sends to `target`, whose port is replaced by `port`, with a TTL of 255 (RFC 5881
/// section 5), from a source port of its own.
///
/// # Errors
///
/// What the kernel says: no route, no such interface, no such source address.
pub(crate) fn bfd_sender(
    peer: &PeerConfig,
    mut target: SocketAddr,
    port: u16,
) -> io::Result<UdpSocket> {
    target.set_port(port);
    let socket = socket(target)?;
    match target {
        SocketAddr::V4(_) => {
            socket.set_ttl_v4(255)?;
            socket.set_tos_v4(INTERNETWORK_CONTROL)?;
        }
        SocketAddr::V6(_) => {
            socket.set_unicast_hops_v6(255)?;
            socket.set_tclass_v6(INTERNETWORK_CONTROL)?;
        }
    }
    if let Some(interface) = &peer.interface {
        socket.bind_device(Some(interface.as_str().as_bytes()))?;
    }
    let any: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    bind_to_any_port(&socket, peer.source.unwrap_or(any))?;
    socket.connect(&target.into())?;
    UdpSocket::from_std(socket.into())
}

fn bind_to_any_port(socket: &Socket, source: IpAddr) -> io::Result<()> {
    let mut last = io::ErrorKind::AddrInUse.into();
    let ports = SOURCE_PORTS.len();
    for _ in 0..TRIES {
        let random = RandomState::new().build_hasher().finish() as usize % ports;
        let port = SOURCE_PORTS.start() + u16::try_from(random).expect("a part of the ports");
        match socket.bind(&SocketAddr::new(source, port).into()) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            done => return done,
        }
    }
    Err(last)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(
        Domain::for_address(address),
        Type::DGRAM.nonblocking().cloexec(),
        Some(Protocol::UDP),
    )
}
