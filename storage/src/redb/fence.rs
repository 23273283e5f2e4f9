use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;

use super::medium::Medium;

/// Bytes at the start of the file that say which commit is the last.
pub(super) const HEADER: usize = 4096;

/// What one opened database reads and writes through.
///
/// redb gives up a database at the first error of its file. Then this is lowered between the two,
/// so that nothing of the old database reaches the file while a new one is opened on it. It also
/// remembers the first error, which redb does not, and the header as it was last made durable.
#[derive(Debug)]
pub(super) struct Fence {
    medium: Arc<dyn Medium>,
    lowered: AtomicBool,
    cause: Mutex<Option<String>>,
    headers: Mutex<Headers>,
}

#[derive(Debug)]
struct Headers {
    written: Vec<u8>,
    durable: Vec<u8>,
}

/// redb wants to own its backend; we keep the other half.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Arc<Fence>);

// === impl Fence ===

impl Fence {
    /// `durable` is the header known to be durable, if it may differ from what is there.
    pub(super) fn new(medium: Arc<dyn Medium>, durable: Option<Vec<u8>>) -> io::Result<Self> {
        let mut written = vec![0; HEADER];
        let there = usize::try_from(medium.len()?).unwrap_or(HEADER).min(HEADER);
        medium.read(0, &mut written[..there])?;
        let durable = durable.unwrap_or_else(|| written.clone());
        Ok(Self {
            medium,
            lowered: AtomicBool::new(false),
            cause: Mutex::default(),
            headers: Mutex::new(Headers { written, durable }),
        })
    }

    /// Nothing passes any more.
    pub(super) fn lower(&self) {
        self.lowered.store(true, Ordering::SeqCst);
    }

    /// The first error of the medium.
    pub(super) fn cause(&self) -> Option<String> {
        self.cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The header as it was when the medium last said that it is durable.
    pub(super) fn durable_header(&self) -> Vec<u8> {
        self.headers().durable.clone()
    }

    fn headers(&self) -> std::sync::MutexGuard<'_, Headers> {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass<T>(&self, what: &str, act: impl FnOnce(&dyn Medium) -> io::Result<T>) -> io::Result<T> {
        if self.lowered.load(Ordering::SeqCst) {
            return Err(io::Error::other("the database was given up"));
        }
        act(self.medium.as_ref()).inspect_err(|error| {
            let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
            cause.get_or_insert_with(|| format!("{what}: {error}"));
        })
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.pass("length", |medium| medium.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.pass("read", |medium| medium.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.pass("resize", |medium| medium.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.pass("sync", |medium| medium.sync())?;
        let mut headers = self.0.headers();
        headers.durable = headers.written.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset < HEADER as u64 {
            let at = offset as usize;
            let len = data.len().min(HEADER - at);
            self.0.headers().written[at..at + len].copy_from_slice(&data[..len]);
        }
        self.0.pass("write", |medium| medium.write(offset, data))
    }
}
