use std::fmt::Debug;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the pages are kept on: a file, or in a test something that fails when told to.
///
/// One thread writes; any number read meanwhile.
pub trait Medium: Debug + Send + Sync + 'static {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Those of the medium; likewise below.
    fn len(&self) -> io::Result<u64>;

    /// Whether nothing was ever written.
    ///
    /// # Errors
    /// Those of the medium.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills the buffer from this offset, or fails.
    ///
    /// # Errors
    /// Those of the medium; `UnexpectedEof` beyond its length.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of this at the offset.
    ///
    /// # Errors
    /// Those of the medium. Any part may have been written.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Shortens it, or lengthens it with zeros.
    ///
    /// # Errors
    /// Those of the medium.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns when everything written before survives a loss of power.
    ///
    /// # Errors
    /// Those of the medium. Anything written since the last success may be lost, even if a later
    /// call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Lets another process have it. Nothing follows.
    fn release(&self) {}
}

/// A file, locked for this process.
#[derive(Debug)]
pub(super) struct FileMedium {
    file: File,
    /// The folder in which it got its name, until that is durable too.
    folder: Mutex<Option<File>>,
}

// === impl FileMedium ===

impl FileMedium {
    /// `None` if another process (or another store of this one) has the lock.
    pub(super) fn lock(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                file,
                folder: Mutex::default(),
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The file was given another name in this folder: what is synced from now on includes that.
    pub(super) fn renamed_in(&self, folder: File) {
        *self.folder() = Some(folder);
    }

    fn folder(&self) -> MutexGuard<'_, Option<File>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Medium for FileMedium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        let mut folder = self.folder();
        if let Some(renamed) = folder.as_ref() {
            renamed.sync_all()?;
            *folder = None;
        }
        Ok(())
    }

    fn release(&self) {
        // Closing the file unlocks it too; a failure here only delays that.
        let _ = self.file.unlock();
    }
}
