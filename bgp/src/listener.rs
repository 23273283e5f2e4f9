//! Where peers may connect to.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time;

use crate::peer::Door;
use crate::status::Board;

/// Pause after the kernel could not hand out a connection, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Who may connect: the door of each peer.
pub(crate) type Register = Arc<Vec<(IpAddr, Door)>>;

/// Hands every connection to its peer, and closes those of strangers before a byte is exchanged.
/// Runs until it is dropped.
pub(crate) async fn listen(
    listener: Arc<TcpListener>,
    register: watch::Receiver<Register>,
    board: Board,
) {
    let listener = listener
        .try_clone()
        .and_then(tokio::net::TcpListener::from_std);
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "cannot accept connections"),
    };
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let from = from.ip().to_canonical();
                let doors = Arc::clone(&register.borrow());
                let door = doors.iter().find(|(address, _)| *address == from);
                let offered = match door {
                    Some((_, door)) => door.offer(stream),
                    None => Err(stream),
                };
                if let Err(refused) = offered {
                    tracing::debug!(%from, "connection refused");
                    board.refused();
                    drop(refused);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no connection accepted");
                time::sleep(PAUSE).await;
            }
        }
    }
}
