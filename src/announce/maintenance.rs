//! The mark of a node that an operator took out of service.

use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// A file that is there while the node is in maintenance: drained by an operator, and to stay so
/// when its process starts again.
#[derive(Debug, Clone)]
pub struct Maintenance(PathBuf);

// === impl Maintenance ===

impl Maintenance {
    /// The mark is the existence of this file.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// Whether the node is in maintenance. A mark that cannot be looked at counts: rather out of
    /// service than announced against an operator's will.
    pub fn is_set(&self) -> bool {
        self.0.try_exists().unwrap_or(true)
    }

    /// Sets the mark, durably.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&self) -> io::Result<()> {
        let text = b"Out of service until `metal-edge drain --undo`.\n";
        files::write(&self.0, text, files::PUBLIC)
    }

    /// Removes the mark; no error if there is none.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
