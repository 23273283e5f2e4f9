//! A raw socket for router advertisements on one interface.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::option::pass_icmp_types;
use crate::Interface;

/// Every host of the link, and every router of it (RFC 4291 section 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// No message of interest is longer; what is, is cut.
pub(crate) const MESSAGE: usize = 1500;

/// A raw ICMPv6 socket that hears only some types, on one interface.
#[derive(Debug)]
pub(crate) struct Icmp {
    // For tokio every socket of datagrams is one; what is read and sent is up to us.
    socket: UdpSocket,
    scope: u32,
}

/// A message and what the kernel says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) source: Ipv6Addr,
    pub(crate) hop_limit: u8,
}

// === impl Icmp ===

impl Icmp {
    /// A socket on `interface`, whose number is `scope`, that hears messages of `types` only.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without CAP_NET_RAW.
    pub(crate) fn open(interface: &Interface, scope: u32, types: &[u8]) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::IPV6,
            Type::RAW.nonblocking().cloexec(),
            Some(Protocol::ICMPV6),
        )?;
        pass_icmp_types(&socket, types)?;
        socket.bind_device(Some(interface.as_str().as_bytes()))?;
        socket.set_recv_hoplimit_v6(true)?;
        // RFC 4861 sections 6.1: everybody drops what has another hop limit.
        socket.set_unicast_hops_v6(255)?;
        socket.set_multicast_hops_v6(255)?;
        socket.set_multicast_if_v6(scope)?;
        socket.set_multicast_loop_v6(false)?;
        socket.join_multicast_v6(&ALL_ROUTERS, scope)?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, scope })
    }

    /// Sends `message` to every node of the link, from our link-local address. Never waits.
    pub(crate) fn send(&self, message: &[u8]) -> io::Result<()> {
        let to = SockAddr::from(SocketAddrV6::new(ALL_NODES, 0, 0, self.scope));
        SockRef::from(&self.socket).send_to(message, &to).map(drop)
    }

    /// The next message. Dropping the future loses none.
    pub(crate) async fn receive(&self, buffer: &mut [u8; MESSAGE]) -> io::Result<Received> {
        self.socket
            .async_io(Interest::READABLE, || take(&self.socket, buffer))
            .await
    }
}

fn take(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = cmsg_space!(i32);
    let mut parts = [io::IoSliceMut::new(buffer)];
    let descriptor = socket.as_fd().as_raw_fd();
    let message = recvmsg::<SockaddrIn6>(
        descriptor,
        &mut parts,
        Some(&mut control),
        MsgFlags::empty(),
    )?;
    let hop_limit = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv6HopLimit(limit) => u8::try_from(limit).ok(),
        _ => None,
    });
    let source = message.address.ok_or(Errno::EBADMSG)?.ip();
    Ok(Received {
        length: message.bytes,
        source,
        // Unknown is as good as wrong.
        hop_limit: hop_limit.unwrap_or(0),
    })
}
