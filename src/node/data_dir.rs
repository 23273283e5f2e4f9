//! One node per data directory.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use thiserror::Error;

use crate::config::DataDir;

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum Error {
    /// It cannot be made, or written to.
    #[error("the data directory {path}: {source}")]
    Unusable {
        /// Which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another node runs on it.
    #[error(
        "the data directory {path} is in use by process {process}: \
         stop that node first, or give this one another --data-dir"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that uses it, as far as it said so.
        process: String,
    },
}

/// Holds the data directory until it is dropped, or the process ends however.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held")] Flock<File>);

/// Makes the directory where there is none, and locks it.
pub fn acquire(directory: &DataDir) -> Result<Lock, Error> {
    let unusable = |source| Error::Unusable {
        path: directory.path().to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory.path())
        .map_err(unusable)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.lock())
        .map_err(unusable)?;
    let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => lock,
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut process = String::new();
            let read = (&mut file).take(32).read_to_string(&mut process);
            if read.is_err() || process.trim().is_empty() {
                process = "(unknown)".to_owned();
            }
            return Err(Error::InUse {
                path: directory.path().to_owned(),
                process: process.trim().to_owned(),
            });
        }
        Err((_, errno)) => return Err(unusable(errno.into())),
    };
    let note = |lock: &mut File| {
        lock.rewind()?;
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())
    };
    note(&mut lock).map_err(unusable)?;
    Ok(Lock(lock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_node_on_a_data_directory_is_refused_and_told_by_whom() {
        let directory = tempfile::tempdir().expect("a directory");
        let data_dir = DataDir::new(directory.path().join("made"));
        let lock = acquire(&data_dir).expect("free");
        let error = acquire(&data_dir).expect_err("in use").to_string();
        let process = format!("in use by process {}", std::process::id());
        assert!(error.contains(&process), "{error}");
        drop(lock);
        acquire(&data_dir).expect("free again");
    }
}
