//! Where backups are kept.

mod file;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "s3")]
mod s3_options;

use std::fmt;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "s3")]
pub use self::s3_options::S3Options;
use super::error::{Error, Result};
use super::source::Source;
use crate::store::BoxFuture;

/// A file, or an object in a bucket.
#[derive(Debug)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An object of an S3-compatible service.
    #[cfg(feature = "s3")]
    S3(s3::Object),
}

/// A backup that is being written. It is there, under its name, only once
/// [`finish`](Sink::finish) has returned; dropped before, it never was.
pub trait Sink: Send {
    /// What its bytes are written to.
    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send);

    /// Makes it durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Write`].
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<()>>;

    /// Removes what was written.
    fn abort(self: Box<Self>) -> BoxFuture<'static, ()>;
}

// === impl Place ===

impl Place {
    /// A path, or `s3://BUCKET/KEY`, whose service and credentials `s3` says.
    ///
    /// # Errors
    /// [`Error::Place`], saying what is wrong with it.
    #[cfg(feature = "s3")]
    pub fn parse(text: &str, s3: &S3Options) -> Result<Self> {
        match text.split_once("://") {
            Some(("s3", _)) => s3::Object::parse(text, s3).map(Self::S3),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::File(path.into())),
            Some((scheme, _)) if is_scheme(scheme) => Err(Error::Place {
                place: without_query(text),
                cause: "a backup is kept at a path or at s3://BUCKET/KEY".to_owned(),
            }),
            _ => Ok(Self::File(text.into())),
        }
    }

    /// Begins to write a backup here. One that is here already is replaced when the new one is
    /// finished, and not before.
    ///
    /// # Errors
    /// [`Error::Place`] if nothing can be written here.
    pub async fn create(&self) -> Result<Box<dyn Sink>> {
        match self {
            Self::File(path) => Ok(Box::new(file::FileSink::new(path).await?)),
            #[cfg(feature = "s3")]
            Self::S3(object) => Ok(Box::new(object.create().await?)),
        }
    }

    /// Whether there is something here already.
    ///
    /// # Errors
    /// [`Error::Place`] if that cannot be found out.
    pub async fn exists(&self) -> Result<bool> {
        match self {
            Self::File(path) => file::exists(path).await,
            #[cfg(feature = "s3")]
            Self::S3(object) => object.exists().await,
        }
    }
}

impl Source for Place {
    fn open(&self) -> BoxFuture<'_, Result<Box<dyn AsyncRead + Send + Unpin>>> {
        match self {
            Self::File(path) => Box::pin(file::open(path)),
            #[cfg(feature = "s3")]
            Self::S3(object) => Box::pin(object.open()),
        }
    }

    fn size(&self) -> BoxFuture<'_, Option<u64>> {
        match self {
            Self::File(path) => Box::pin(file::size(path)),
            #[cfg(feature = "s3")]
            Self::S3(object) => Box::pin(object.size()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "s3")]
            Self::S3(object) => object.fmt(f),
        }
    }
}

#[cfg(feature = "s3")]
fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Without what may carry a secret.
#[cfg(feature = "s3")]
fn without_query(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    match (text[..end].split_once("://"), text[..end].rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => text[..end].to_owned(),
    }
}
