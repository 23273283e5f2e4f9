use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::watch;

use super::fault::Fault;
use crate::heads::closed;

/// What reads see now. Readers and the writer share it; nobody holds it during I/O.
#[derive(Debug)]
pub(super) struct View {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
enum State {
    Open(Arc<Database>),
    Down(String),
    Closed,
}

// === impl View ===

impl View {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self {
            state: Mutex::new(State::Open(database)),
            changed: watch::channel(0).0,
        }
    }

    /// Reads see this database from now on.
    pub(super) fn open(&self, database: Arc<Database>) {
        *self.state() = State::Open(database);
        self.changed.send_modify(|generation| *generation += 1);
    }

    /// Reads cannot be answered for now, because of this.
    pub(super) fn down(&self, cause: String) {
        *self.state() = State::Down(cause);
        self.changed.send_modify(|generation| *generation += 1);
    }

    /// Reads cannot be answered any more.
    pub(super) fn close(&self) {
        *self.state() = State::Closed;
        self.changed.send_modify(|generation| *generation += 1);
    }

    /// Follows [`open`](Self::open) and [`down`](Self::down).
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Reads from one snapshot.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let state = self.state().clone();
        match state {
            State::Open(database) => read(&database.begin_read()?),
            State::Down(cause) => Err(Fault::Down(cause)),
            State::Closed => Err(closed().into()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
