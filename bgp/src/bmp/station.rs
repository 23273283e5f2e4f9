//! The connection to a monitoring station.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::message;
use super::view::View;
use crate::SpeakerConfig;
use crate::status::Board;

/// RFC 7854 section 3.2 wants a wait that grows; this is where it begins and ends.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long a station may take to connect, and to take what it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// One task per station.
#[derive(Debug)]
pub(crate) struct Stations {
    board: Board,
    running: Vec<(SocketAddr, AbortHandle)>,
    tasks: JoinSet<()>,
}

// === impl Stations ===

impl Stations {
    pub(crate) fn new(board: Board) -> Self {
        Self {
            board,
            running: Vec::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Goes on with the stations that stay, and leaves those that are gone.
    pub(crate) fn follow(&mut self, config: &SpeakerConfig) {
        self.running.retain(|(address, task)| {
            let stays = config.stations.contains(address);
            if !stays {
                task.abort();
            }
            stays
        });
        for address in &config.stations {
            if !self.running.iter().any(|(known, _)| known == address) {
                let name = config.router_id.to_string();
                let task = monitor(*address, name, self.board.clone());
                self.running.push((*address, self.tasks.spawn(task)));
            }
        }
    }
}

/// Tells a station for ever what the board shows.
async fn monitor(address: SocketAddr, name: String, board: Board) {
    let mut wait = RETRY_MIN;
    loop {
        match connect(address).await {
            Ok(stream) => {
                wait = RETRY_MIN;
                tracing::info!(station = %address, "connected to the BMP station");
                let error = report(stream, &name, &board).await;
                tracing::warn!(station = %address, %error, "lost the BMP station");
            }
            Err(error) if wait == RETRY_MIN => {
                tracing::warn!(station = %address, %error, "cannot reach the BMP station");
            }
            Err(_) => {}
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_MAX);
    }
}

async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    timeout(PATIENCE, TcpStream::connect(address)).await?
}

/// Reports until the connection ends; says why it did.
async fn report(mut stream: TcpStream, name: &str, board: &Board) -> std::io::Error {
    let version = concat!("metal-bgp ", env!("CARGO_PKG_VERSION"));
    let mut due = vec![message::initiation(name, version)];
    let mut view = View::default();
    let mut ticks = board.subscribe();
    let mut heard = [0; 64];
    loop {
        ticks.borrow_and_update();
        due.extend(view.advance(&board.monitored(), now()));
        for message in due.drain(..) {
            match timeout(PATIENCE, stream.write_all(&message)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(late) => return late.into(),
            }
        }
        tokio::select! {
            changed = ticks.changed() => if changed.is_err() {
                // The connection ends next; whether the station hears why is its affair.
                let _ = stream.write_all(&message::termination()).await;
                return std::io::ErrorKind::Interrupted.into();
            },
            // A station says nothing; whatever it says is read and forgotten.
            read = stream.read(&mut heard) => match read {
                Ok(0) => return std::io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            },
        }
    }
}

/// For display by the station.
#[allow(clippy::disallowed_methods, reason = "for display by the station")]
fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
