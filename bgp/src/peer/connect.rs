//! The TCP connection to a peer.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time;

use crate::Ttl;
use crate::session::Terms;
use crate::socket::Dial;

/// Connects to `to`.
///
/// # Errors
///
/// One sentence that names the cause and where to look.
pub(super) async fn connect(terms: &Terms, to: SocketAddr) -> Result<TcpStream, String> {
    let peer = &terms.peer;
    let dial = Dial { terms, to };
    let socket = dial.socket()?;
    let attempt = async {
        let stream = socket.connect(to).await?;
        let local = stream.local_addr()?.ip();
        Ok::<_, io::Error>((stream, local))
    };
    match time::timeout(peer.connect_timeout, attempt).await {
        Ok(Ok((_, local))) if local == to.ip() && !local.is_loopback() => Err(format!(
            "{local} is this node's own address: write the address of the leaf"
        )),
        Ok(Ok((stream, _))) => Ok(stream),
        Ok(Err(error)) => Err(explain(dial, &error)),
        Err(_) => Err(format!(
            "no answer from {} port {} within {:?}: {}",
            to.ip(),
            to.port(),
            peer.connect_timeout,
            dial.silence()
        )),
    }
}

fn explain(dial: Dial<'_>, error: &io::Error) -> String {
    let (ip, port) = (dial.to.ip(), dial.to.port());
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("connection refused: nothing listens on {ip} port {port}")
        }
        io::ErrorKind::HostUnreachable if dial.terms.peer.ttl == Ttl::Direct => format!(
            "{ip} cannot be reached: no neighbour answers on the link, or it is behind a router \
             and needs multihop ({error})"
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => format!(
            "{ip} cannot be reached: no route, or no neighbour answers on the link ({error})"
        ),
        io::ErrorKind::ConnectionReset => {
            format!("{ip} port {port} reset the connection: it may not know this node's address")
        }
        io::ErrorKind::TimedOut => {
            format!("no answer from {ip} port {port}: {}", dial.silence())
        }
        _ => format!("cannot connect to {ip} port {port}: {error}"),
    }
}
