use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use futures::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::io::StreamReader;

use super::{S3Options, Sink};
use crate::backup::error::{Error, Result};
use crate::store::BoxFuture;

/// Bytes of a part. There are at most 10,000 parts, so 160 GiB.
const PART: usize = 16 * 1024 * 1024;
/// Parts on their way at one time.
const PARTS: usize = 2;
/// An object of a bucket.
#[derive(Debug)]
pub struct Object {
    store: Arc<AmazonS3>,
    path: Path,
    name: String,
    /// The object that was read first: a later reading must be of the same.
    seen: OnceLock<Option<String>>,
}

/// An object that is being uploaded, in parts if it is large. It is there when the upload is
/// completed.
pub(super) struct ObjectSink {
    writer: BufWriter,
}

// === impl Object ===

impl Object {
    pub(super) fn parse(url: &str, options: &S3Options) -> Result<Self> {
        let unusable = |cause: String| Error::Place {
            place: super::without_query(url),
            cause,
        };
        let rest = url.strip_prefix("s3://").unwrap_or(url);
        if rest.contains(['?', '#', '@']) {
            let cause = "write s3://BUCKET/KEY; credentials are in a file or the environment";
            return Err(unusable(cause.to_owned()));
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let bad = |b: u8| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if bucket.is_empty() || bucket.bytes().any(bad) {
            return Err(unusable("that is no name of a bucket".to_owned()));
        }
        if key.is_empty() || key.ends_with('/') {
            return Err(unusable("the key of the object is missing".to_owned()));
        }
        let path = Path::parse(key).map_err(|error| unusable(error.to_string()))?;
        let store = options.connect(bucket).map_err(unusable)?;
        Ok(Self {
            store: Arc::new(store),
            path,
            name: url.to_owned(),
            seen: OnceLock::new(),
        })
    }

    pub(super) async fn create(&self) -> Result<ObjectSink> {
        // Whoever may not write learns of it before anything is read.
        self.exists().await?;
        let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let writer = BufWriter::with_capacity(store, self.path.clone(), PART);
        Ok(ObjectSink {
            writer: writer.with_max_concurrency(PARTS),
        })
    }

    pub(super) async fn exists(&self) -> Result<bool> {
        match self.store.head(&self.path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    pub(super) async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
        let options = GetOptions {
            if_match: self.seen.get().cloned().flatten(),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&self.path, options).await;
        let found = found.map_err(|error| match error {
            object_store::Error::Precondition { .. } => {
                Error::Read(io::Error::other("it was replaced by another meanwhile"))
            }
            error => self.unusable(&error),
        })?;
        // Only the first one counts.
        let _ = self.seen.set(found.meta.e_tag.clone());
        let stream = found.into_stream().map_err(io::Error::other);
        Ok(Box::new(StreamReader::new(stream)))
    }

    pub(super) async fn size(&self) -> Option<u64> {
        let found = self.store.head(&self.path).await.ok()?;
        Some(found.size)
    }

    fn unusable(&self, error: &object_store::Error) -> Error {
        Error::Place {
            place: self.name.clone(),
            cause: explain(error),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Sink for ObjectSink {
    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.writer
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.writer.shutdown().await.map_err(Error::Write) })
    }

    fn abort(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = self.writer.abort().await {
                tracing::warn!(%error, "parts of an upload may be left in the bucket");
            }
        })
    }
}

/// What went wrong, without what the crate adds around it.
fn explain(error: &object_store::Error) -> String {
    use object_store::Error as E;
    match error {
        E::NotFound { .. } => "there is no such bucket or object".to_owned(),
        E::Unauthenticated { .. } => "the service does not know these credentials".to_owned(),
        E::PermissionDenied { .. } => "the service refuses these credentials".to_owned(),
        error => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                let cause_text = cause.to_string();
                if !text.contains(&cause_text) {
                    text = format!("{text}: {cause_text}");
                }
                source = cause.source();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> S3Options {
        S3Options {
            endpoint: Some("https://s3.example.net".into()),
            keys: Some(("access".into(), "very-secret".into(), None)),
            ..S3Options::default()
        }
    }

    #[test]
    fn an_object_is_named_by_bucket_and_key_and_nothing_else() {
        let object = Object::parse("s3://backups/fra/store.zst", &options()).unwrap();
        assert_eq!(object.path.as_ref(), "fra/store.zst");
        for bad in [
            "s3://",
            "s3:///key",
            "s3://bucket",
            "s3://bucket/",
            "s3://bucket/folder/",
            "s3://buc ket/key",
            "s3://user:very-secret@bucket/key",
            "s3://bucket/key?secret=very-secret",
        ] {
            let error = Object::parse(bad, &options()).unwrap_err().to_string();
            assert!(!error.contains("very-secret"), "{error}");
        }
    }
}
