//! The socket that peers connect to.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::Md5Key;
use super::option::set_md5_key;

/// Connections that the kernel keeps until they are looked at.
const BACKLOG: i32 = 64;

/// A listening socket that accepts nothing yet.
///
/// # Errors
///
/// The address is taken, is not this node's, or needs a privilege.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Demands the signatures of `peer` on its connections, or none any more.
pub(crate) fn sign(listener: &TcpListener, peer: IpAddr, key: Option<&Md5Key>) -> io::Result<()> {
    match set_md5_key(listener, peer, key) {
        // There was no key to be removed.
        Err(error) if key.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
