//! Where an accepted connection waits for the task of its peer.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Room for one connection, so that a peer that connects again and again costs one socket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    knock: Notify,
}

#[derive(Debug, Default)]
enum Waiting {
    /// Connections are not wanted.
    #[default]
    Closed,
    Nobody,
    One(TcpStream),
}

// === impl Door ===

impl Door {
    /// Lets connections in.
    pub(crate) fn open(&self) {
        let mut waiting = self.waiting();
        if matches!(*waiting, Waiting::Closed) {
            *waiting = Waiting::Nobody;
        }
    }

    /// Lets none in; one that waits is dropped.
    pub(crate) fn close(&self) {
        *self.waiting() = Waiting::Closed;
    }

    /// Hands in a connection, or gives it back if there is no room for it.
    pub(crate) fn offer(&self, stream: TcpStream) -> Result<(), TcpStream> {
        let mut waiting = self.waiting();
        if !matches!(*waiting, Waiting::Nobody) {
            return Err(stream);
        }
        *waiting = Waiting::One(stream);
        self.0.knock.notify_one();
        Ok(())
    }

    /// The next connection. Loses none when it is dropped before it is ready.
    pub(crate) async fn next(&self) -> TcpStream {
        loop {
            if let Some(stream) = self.take() {
                return stream;
            }
            self.0.knock.notified().await;
        }
    }

    /// Waits until a connection waits, and leaves it there.
    pub(crate) async fn knocked(&self) {
        loop {
            if matches!(*self.waiting(), Waiting::One(_)) {
                return;
            }
            self.0.knock.notified().await;
        }
    }

    fn take(&self) -> Option<TcpStream> {
        let mut waiting = self.waiting();
        if matches!(*waiting, Waiting::One(_))
            && let Waiting::One(stream) = std::mem::replace(&mut *waiting, Waiting::Nobody)
        {
            return Some(stream);
        }
        None
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
