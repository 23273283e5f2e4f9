//! The embedded store: one file in the data directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use metal_storage::{
    Batch, BoxStream, Change, Error, Key, Page, Query, Read, Record, Redb, RedbOptions, Result,
    Revision, Scope, Stats, Store, Stored,
};

use super::{Engine, Facts, Kind, Mode};
use crate::config::DataDir;

pub(super) const KIND: Kind = Kind {
    names: &["redb"],
    example: "\"redb\"",
    check_url: |url| match url.is_server() {
        true => Err("\"redb\" alone: its file is in the data directory".to_owned()),
        false => Ok(()),
    },
    open: |_, directory, mode| open(directory, mode).boxed(),
};

async fn open(directory: &DataDir, mode: Mode) -> Result<Arc<dyn Engine>> {
    let path = directory.store();
    if mode == Mode::AsItIs {
        look(&path)?;
    }
    let store = Redb::open(&path, RedbOptions::default())?;
    Ok(Arc::new(File { store, path }))
}

/// Whether the file is there, and of this version. A new one in a wrong place would be taken for
/// an empty store.
pub(super) fn look(path: &Path) -> Result<()> {
    if !path.exists() {
        return Err(Error::Unavailable {
            reason: format!("there is no store at {}", path.display()),
        });
    }
    match Redb::format_of(path)? {
        Some(older) if older < Redb::FORMAT => Err(Error::Invalid(format!(
            "{} is not migrated: it has format {older}, and this version writes {}",
            path.display(),
            Redb::FORMAT
        ))),
        _ => Ok(()),
    }
}

struct File {
    store: Redb,
    path: PathBuf,
}

// === impl File ===

impl Engine for File {
    fn engine(&self) -> &'static str {
        "redb"
    }

    fn facts(&self) -> BoxFuture<'_, Facts> {
        async {
            Facts {
                version: Some(format!("format {}", Redb::FORMAT)),
                place: self.path.display().to_string(),
                bytes: fs::metadata(&self.path).ok().map(|found| found.len()),
            }
        }
        .boxed()
    }

    fn stats(&self) -> Stats {
        self.store.stats()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close().boxed()
    }
}

super::forward!(File, store);
