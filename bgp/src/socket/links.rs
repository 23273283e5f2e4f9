//! When interfaces change.

use std::io;
use std::mem::MaybeUninit;

use nix::libc;
use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket,
};
use socket2::SockRef;
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Hears that an interface or an IPv6 address came, went or changed (rtnetlink). What exactly is
/// not read: whoever waits looks again.
#[derive(Debug)]
// For tokio every socket of datagrams is one.
pub(crate) struct LinkEvents(UdpSocket);

// === impl LinkEvents ===

impl LinkEvents {
    /// # Errors
    ///
    /// No socket, or no netlink, to be had.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV6_IFADDR;
        let groups = u32::try_from(groups).expect("groups are bits from below");
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        UdpSocket::from_std(socket.into()).map(Self)
    }

    /// Waits for a change; several at one time are one. Dropping the future loses none.
    pub(crate) async fn changed(&self) -> io::Result<()> {
        let mut message = [MaybeUninit::uninit(); 8192];
        self.0
            .async_io(Interest::READABLE, || {
                let socket = SockRef::from(&self.0);
                let mut heard = false;
                loop {
                    match socket.recv(&mut message) {
                        Ok(_) => heard = true,
                        // More happened than the kernel keeps: something did.
                        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => heard = true,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock && heard => {
                            return Ok(());
                        }
                        Err(error) => return Err(error),
                    }
                }
            })
            .await
    }
}
