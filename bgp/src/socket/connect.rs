//! The TCP socket of a session.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpSocket;

use super::option::{set_least_ttl, set_md5_key};
use crate::session::Terms;
use crate::{PeerConfig, Ttl};

/// Internetwork control, the precedence that routers give to their own traffic (RFC 4271
/// appendix E): DSCP CS6.
pub(super) const INTERNETWORK_CONTROL: u32 = 0xC0;

/// A connection about to be tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dial<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) to: SocketAddr,
}

// === impl Dial ===

impl Dial<'_> {
    /// A socket with every option that matters before the connection is there.
    ///
    /// # Errors
    ///
    /// One sentence that names the key of the configuration, or the permission that is missing.
    pub(crate) fn socket(self) -> Result<TcpSocket, String> {
        let Self { terms, to } = self;
        let peer = &terms.peer;
        let v6 = to.is_ipv6();
        let socket = match v6 {
            false => TcpSocket::new_v4(),
            true => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(failed("socket"))?;
        // The answer to the first segment is checked already: routers with TTL security send it
        // with 255 as well.
        dress(&socket, terms, v6)?;
        let options = SockRef::from(&socket);
        if let Some(key) = &peer.md5_key {
            set_md5_key(&socket, to.ip(), Some(key)).map_err(failed("TCP_MD5SIG"))?;
        }
        if let Some(interface) = &peer.interface {
            let bound = options.bind_device(Some(interface.as_str().as_bytes()));
            bound.map_err(|error| match error.raw_os_error() {
                Some(nix::libc::ENODEV) => format!("this node has no interface {interface}"),
                Some(nix::libc::EPERM) => {
                    format!("binding to the interface {interface} needs CAP_NET_RAW")
                }
                _ => format!("cannot bind to the interface {interface}: {error}"),
            })?;
        }
        if let Some(source) = peer.source {
            socket
                .bind(SocketAddr::new(source, 0))
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AddrNotAvailable => format!(
                        "source {source} is no address of this node: correct source, or give the \
                         address to an interface"
                    ),
                    _ => format!("cannot connect from source {source}: {error}"),
                })?;
        }
        Ok(socket)
    }

    /// What keeps a peer that is there from answering, for the end of a sentence.
    pub(crate) fn silence(self) -> &'static str {
        match (&self.terms.peer.md5_key, self.terms.peer.ttl) {
            (Some(_), _) => {
                "the peer has another MD5 key or none, the address is wrong, the link is down, or \
                 a filter drops TCP"
            }
            (None, Ttl::Security { .. }) => {
                "the peer has no TTL security or is too far away, the address is wrong, the link \
                 is down, or a filter drops TCP"
            }
            (None, Ttl::Direct | Ttl::Multihop(_)) => {
                "the address is wrong, the link is down, a filter drops TCP, or the peer demands \
                 an MD5 key"
            }
        }
    }
}

/// What every connection with a peer needs, whoever makes it.
///
/// # Errors
///
/// One sentence that names the option that the kernel refuses.
pub(crate) fn dress(socket: &impl AsFd, terms: &Terms, v6: bool) -> Result<(), String> {
    let peer = &terms.peer;
    let options = SockRef::from(socket);
    options
        .set_tcp_nodelay(true)
        .map_err(failed("TCP_NODELAY"))?;
    options
        .set_tcp_user_timeout(Some(patience(peer)))
        .map_err(failed("TCP_USER_TIMEOUT"))?;
    match v6 {
        false => options.set_tos_v4(INTERNETWORK_CONTROL),
        true => options.set_tclass_v6(INTERNETWORK_CONTROL),
    }
    .map_err(failed("DSCP"))?;
    if let Some(ttl) = peer.ttl.sent(terms.internal()) {
        match v6 {
            false => options.set_ttl_v4(ttl.into()),
            true => options.set_unicast_hops_v6(ttl.into()),
        }
        .map_err(failed("TTL"))?;
    }
    if let Some(least) = peer.ttl.accepted() {
        set_least_ttl(socket, v6, least).map_err(failed("TTL security"))?;
    }
    Ok(())
}

/// Bytes that the peer does not acknowledge for a hold time will not be of use to it either.
fn patience(peer: &PeerConfig) -> Duration {
    match peer.hold_time {
        Duration::ZERO => Duration::from_secs(60),
        hold_time => hold_time,
    }
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("the kernel refuses {what} for a connection: {error}")
}
