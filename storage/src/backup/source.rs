use bytes::Bytes;
use tokio::io::AsyncRead;

use super::error::Result;
use crate::store::BoxFuture;

/// Where a backup is read from, more than once: first to check it whole, then to restore it.
pub trait Source: Send + Sync {
    /// Its first byte, and all that follow.
    ///
    /// # Errors
    /// [`Error::Read`](super::Error::Read) or [`Error::Place`](super::Error::Place).
    fn open(&self) -> BoxFuture<'_, Result<Box<dyn AsyncRead + Send + Unpin>>>;

    /// Its length in bytes, where that is known; for display.
    fn size(&self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(async { None })
    }
}

impl Source for Bytes {
    fn open(&self) -> BoxFuture<'_, Result<Box<dyn AsyncRead + Send + Unpin>>> {
        let reader: Box<dyn AsyncRead + Send + Unpin> =
            Box::new(std::io::Cursor::new(self.clone()));
        Box::pin(async { Ok(reader) })
    }

    fn size(&self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(async { Some(self.len() as u64) })
    }
}
