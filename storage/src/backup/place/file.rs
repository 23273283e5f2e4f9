use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::Sink;
use crate::backup::error::{Error, Result};
use crate::store::BoxFuture;

/// A file that is written beside its place under another name.
pub(super) struct FileSink {
    file: File,
    /// Cleared once it has its name.
    temporary: Temporary,
    path: PathBuf,
}

/// Removed when dropped.
struct Temporary(Option<PathBuf>);

// === impl FileSink ===

impl FileSink {
    pub(super) async fn new(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| unusable(path, &error);
        if fs::metadata(path).await.is_ok_and(|found| !found.is_file()) {
            return Err(Error::Place {
                place: path.display().to_string(),
                cause: "it is not a file".to_owned(),
            });
        }
        let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(".part");
        let temporary = path.with_file_name(name);
        let mut options = std::fs::OpenOptions::new();
        // It holds whatever the store does: for its owner alone.
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = fs::OpenOptions::from(options).open(&temporary).await;
        let file = file.map_err(failed)?;
        Ok(Self {
            file,
            temporary: Temporary(Some(temporary)),
            path: path.to_owned(),
        })
    }

    async fn publish(mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let Some(temporary) = &self.temporary.0 else {
            return Ok(());
        };
        fs::rename(temporary, &self.path).await?;
        self.temporary.0 = None;
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).await?;
        folder.sync_all().await
    }
}

impl Sink for FileSink {
    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.file
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.publish().await.map_err(Error::Write) })
    }

    fn abort(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

// === impl Temporary ===

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // If it cannot be removed, it is at least not under the name of a backup.
            let _ = std::fs::remove_file(path);
        }
    }
}

pub(super) async fn open(path: &Path) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
    let file = File::open(path)
        .await
        .map_err(|error| unusable(path, &error))?;
    Ok(Box::new(file))
}

pub(super) async fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).await.ok().map(|found| found.len())
}

pub(super) async fn exists(path: &Path) -> Result<bool> {
    fs::try_exists(path)
        .await
        .map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::Place {
        place: path.display().to_string(),
        cause: error.to_string(),
    }
}
