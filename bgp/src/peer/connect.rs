//! The TCP connection to a peer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time;

use crate::session::Terms;

/// Internetwork control, the precedence that routers give to their own traffic (RFC 4271
/// appendix E).
const INTERNETWORK_CONTROL: u32 = 0xC0;

/// Connects from the address that the kernel chooses.
///
/// # Errors
///
/// One sentence that names the cause and where to look.
pub(super) async fn connect(terms: &Terms) -> Result<TcpStream, String> {
    let peer = &terms.peer;
    let to = SocketAddr::new(peer.address, peer.port);
    let attempt = async {
        let socket = match to {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        prepare(&SockRef::from(&socket), terms)?;
        let stream = socket.connect(to).await?;
        let local = stream.local_addr()?.ip();
        Ok::<_, io::Error>((stream, local))
    };
    match time::timeout(peer.connect_timeout, attempt).await {
        Ok(Ok((_, local))) if local == peer.address && !local.is_loopback() => Err(format!(
            "{local} is this node's own address: write the address of the leaf"
        )),
        Ok(Ok((stream, _))) => Ok(stream),
        Ok(Err(error)) => Err(explain(to, &error)),
        Err(_) => Err(format!(
            "no answer from {} port {} within {:?}: the address is wrong, the link is down, or \
             a filter drops TCP",
            to.ip(),
            to.port(),
            peer.connect_timeout
        )),
    }
}

/// What every connection with the peer needs, whoever makes it.
pub(super) fn prepare(socket: &SockRef<'_>, terms: &Terms) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    // Bytes that the peer does not acknowledge for a hold time will not be of use to it either.
    let patience = match terms.peer.hold_time {
        Duration::ZERO => Duration::from_secs(60),
        hold_time => hold_time,
    };
    socket.set_tcp_user_timeout(Some(patience))?;
    match terms.peer.address {
        IpAddr::V4(_) => socket.set_tos_v4(INTERNETWORK_CONTROL),
        IpAddr::V6(_) => socket.set_tclass_v6(INTERNETWORK_CONTROL),
    }
}

fn explain(to: SocketAddr, error: &io::Error) -> String {
    let (ip, port) = (to.ip(), to.port());
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("connection refused: nothing listens on {ip} port {port}")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => format!(
            "{ip} cannot be reached: no route, or no neighbour answers on the link ({error})"
        ),
        io::ErrorKind::ConnectionReset => {
            format!("{ip} port {port} reset the connection: it may not know this node's address")
        }
        io::ErrorKind::TimedOut => format!("no answer from {ip} port {port}"),
        _ => format!("cannot connect to {ip} port {port}: {error}"),
    }
}
