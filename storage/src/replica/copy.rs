use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Write};
use crate::error::{Error, Result, invalid};
use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::record::Record;
use crate::redb::{Copied, Redb, RedbOptions};
use crate::revision::Revision;
use crate::scope::{Scope, ScopeName};
use crate::store::{Read, Store};

/// The file of a replica: one scope of another store's, and beside it a note of what it is.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) file: Redb,
}

/// What the file is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The scope that is copied.
    pub(super) scope: String,
    /// Its tables, [described](crate::Schema::describe).
    pub(super) tables: Vec<String>,
    /// When everything acknowledged was known to be here: seconds since 1970, for display.
    pub(super) proven: Option<u64>,
}

// === impl Copy ===

impl Copy {
    /// The copy in this file, if there is one of this scope and these tables.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) if the file is somebody's store, and not a replica;
    /// [`Unavailable`](Error::Unavailable) if it cannot be opened. A damaged one is only logged:
    /// it is made again.
    pub(super) async fn find(
        path: &Path,
        options: &RedbOptions,
        wanted: &Note,
    ) -> Result<Option<(Self, Note)>> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(unavailable(path, "find", &error)),
        }
        let copy = match Self::open(path, options).await {
            Ok(copy) => copy,
            Err(error @ (Error::Corrupt { .. } | Error::Invalid(_))) => {
                tracing::warn!(%error, "the replica cannot be used and is made again");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some(found) = copy.file.get(&note_key(), Read::Latest).await? else {
            copy.file.close().await;
            return Err(invalid!(
                "{} is a store and no replica: give the replica another file",
                path.display()
            ));
        };
        match serde_json::from_slice::<Note>(&found.value.doc) {
            Ok(note) if note.scope == wanted.scope && note.tables == wanted.tables => {
                Ok(Some((copy, note)))
            }
            _ => {
                tracing::info!(path = %path.display(), "the replica is of other tables, and is made again");
                copy.file.close().await;
                Ok(None)
            }
        }
    }

    /// An empty one beside `path`, in the place of what an interrupted attempt may have left.
    pub(super) async fn begin(path: &Path, options: &RedbOptions) -> Result<Self> {
        let beside = beside(path);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unavailable(&beside, "remove", &error))
            }
            _ => Self::open(&beside, options).await,
        }
    }

    /// Gives it the name of the one before, which it replaces whole.
    pub(super) async fn finish(
        self,
        path: &Path,
        options: &RedbOptions,
        note: &Note,
    ) -> Result<Self> {
        self.write(note).await?;
        // Nothing of it is lost from here on, whatever happens to this process.
        self.file.close().await;
        let beside = beside(path);
        fs::rename(&beside, path).map_err(|error| unavailable(&beside, "rename", &error))?;
        Self::open(path, options).await
    }

    /// Keeps what it is.
    pub(super) async fn write(&self, note: &Note) -> Result<()> {
        let key = note_key();
        let mut batch = Batch::new(key.scope().clone());
        let doc = serde_json::to_vec(note).map_err(|error| invalid!("{key}: {error}"))?;
        batch.writes.push(Write::Put(Record {
            key,
            fields: Vec::new(),
            doc: doc.into(),
        }));
        self.file.commit(batch).await.map(drop)
    }

    /// The newest revision and the operation that made it; none before the first.
    pub(super) async fn newest(&self, scope: &Scope) -> Result<Option<(Revision, OpId)>> {
        self.file.newest(scope).await
    }

    /// Takes over records and changes.
    pub(super) async fn take(&self, copied: Copied) -> Result<()> {
        self.file.replicate(copied).await
    }

    async fn open(path: &Path, options: &RedbOptions) -> Result<Self> {
        let (path, options) = (path.to_owned(), options.clone());
        let opened = tokio::task::spawn_blocking(move || Redb::open(path, options)).await;
        match opened {
            Ok(file) => Ok(Self { file: file? }),
            Err(error) => Err(Error::Unavailable {
                reason: error.to_string(),
            }),
        }
    }
}

// === impl Note ===

impl Note {
    /// The same, at this moment.
    pub(super) fn proven_now(&self) -> Self {
        let now = wall().duration_since(UNIX_EPOCH).ok();
        Self {
            proven: now.map(|since| since.as_secs()),
            ..self.clone()
        }
    }

    /// How long ago it was proven, by the wall clock.
    pub(super) fn age(&self) -> Option<Duration> {
        let at = UNIX_EPOCH + Duration::from_secs(self.proven?);
        Some(wall().duration_since(at).unwrap_or_default())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "for display: how old a copy is after a restart"
)]
fn wall() -> SystemTime {
    SystemTime::now()
}

/// Removes what [`Copy::begin`] made, if there is any.
pub(super) fn discard(path: &Path) {
    // What is left is removed by the next attempt.
    let _ = fs::remove_file(beside(path));
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".snapshot");
    name.into()
}

fn note_key() -> Key {
    let node = ScopeName::try_from("replica").expect("a name");
    let table = Name::from_static("replica");
    Key::new(Scope::Node(node), table, "note").expect("a short id")
}

fn unavailable(path: &Path, what: &str, error: &io::Error) -> Error {
    Error::Unavailable {
        reason: format!("cannot {what} {}: {error}", path.display()),
    }
}
