//! Sockets and the accept loop, with its limits.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Admission, Server};

const BACKLOG: i32 = 4096;
/// Connections beyond the limit that are told so instead of being cut.
const OVERFLOW: usize = 64;
/// Connections from this node itself, its own probes, that pass beyond the
/// limit: a flood of clients must not look like a dead listener.
const OWN: usize = 16;
/// After an error of `accept` that will not pass by itself at once, such as
/// too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds `address`, also while it is on no interface yet (Linux, `ip(7)`:
/// `IP_FREEBIND`): an anycast address may come and go.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_freebind_v6(true)?;
    } else {
        socket.set_freebind_v4(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections and serves them, each in a task of `tasks`, until
/// `stop`. Connections that are open then go on.
pub async fn accept(
    listener: TcpListener,
    server: Server,
    room: Room,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                server.metrics.connection_refused("accept");
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some((admission, permit)) = room.admit(&stream, peer) else {
            server.metrics.connection_refused("limit");
            continue;
        };
        if admission == Admission::Overflow {
            server.metrics.connection_refused("overflow");
        }
        let server = server.clone();
        tasks.spawn(async move {
            let metrics = Arc::clone(&server.metrics);
            metrics.connection_opened();
            server.serve(stream, peer, admission).await;
            metrics.connection_closed();
            drop(permit);
        });
    }
}

/// Room for connections, shared by all listeners.
#[derive(Debug, Clone)]
pub struct Room {
    clients: Arc<Semaphore>,
    overflow: Arc<Semaphore>,
    own: Arc<Semaphore>,
}

// === impl Room ===

impl Room {
    /// Room for `connections` clients.
    pub fn new(connections: usize) -> Self {
        let room = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            clients: room(connections),
            overflow: room(OVERFLOW),
            own: room(OWN),
        }
    }

    fn admit(
        &self,
        stream: &TcpStream,
        peer: SocketAddr,
    ) -> Option<(Admission, OwnedSemaphorePermit)> {
        let take = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_owned().ok();
        if let Some(permit) = take(&self.clients) {
            return Some((Admission::Admitted, permit));
        }
        let own = stream
            .local_addr()
            .is_ok_and(|local| local.ip() == peer.ip());
        if own && let Some(permit) = take(&self.own) {
            return Some((Admission::Admitted, permit));
        }
        take(&self.overflow).map(|permit| (Admission::Overflow, permit))
    }
}
