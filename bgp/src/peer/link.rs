//! A session and its connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;

use crate::session::{Machine, Origin};
use crate::socket::is_unacknowledged;

/// How long the last message may take to reach the peer, its end of the connection included.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// One connection with a peer, and the session on it.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    chunk: Vec<u8>,
    pub(super) origin: Origin,
    pub(super) machine: Machine,
}

// === impl Link ===

impl Link {
    pub(super) fn new(stream: TcpStream, origin: Origin, machine: Machine) -> Self {
        Self {
            stream,
            chunk: vec![0; CHUNK],
            origin,
            machine,
        }
    }

    /// Both ends of the connection, while there is one.
    pub(super) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((
            self.stream.local_addr().ok()?,
            self.stream.peer_addr().ok()?,
        ))
    }

    /// Moves bytes or time once. Nothing is lost when it is dropped before it is ready.
    pub(super) async fn step(&mut self) {
        let (mut reader, mut writer) = self.stream.split();
        let machine = &mut self.machine;
        let deadline = machine.deadline();
        // What a peer can flood us with comes last.
        tokio::select! {
            biased;
            () = sleep_until(deadline) => {
                let unacknowledged = is_unacknowledged(reader.as_ref());
                machine.set_unacknowledged(unacknowledged.unwrap_or(false));
                machine.tick(now());
            }
            written = writer.write(machine.outbox()), if !machine.outbox().is_empty() => {
                match written {
                    Ok(count) => machine.sent(now(), count),
                    Err(error) => machine.disconnected(now(), Some(&error)),
                }
            }
            read = reader.read(&mut self.chunk) => match read {
                Ok(0) => machine.disconnected(now(), None),
                Ok(count) => machine.receive(now(), &self.chunk[..count]),
                Err(error) => machine.disconnected(now(), Some(&error)),
            },
        }
    }

    /// Ends the connection once the peer has the last message. Takes about a second at the most.
    pub(super) async fn finish(self) {
        let Self {
            mut stream,
            mut chunk,
            machine,
            ..
        } = self;
        // The peer must see the NOTIFICATION: bytes that it sent meanwhile and that nobody reads
        // would make the kernel reset the connection instead of closing it.
        let flush = async {
            stream.write_all(machine.outbox()).await?;
            stream.shutdown().await?;
            while stream.read(&mut chunk).await? > 0 {}
            std::io::Result::Ok(())
        };
        // Whatever goes wrong now, the connection is dropped next.
        let _ = time::timeout(FLUSH_WAIT, flush).await;
    }
}

/// The clock of the runtime, which tests can stop.
pub(super) fn now() -> Instant {
    time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
