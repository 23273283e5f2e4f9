//! The secret that two peers share.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

/// A key for TCP MD5 signatures (RFC 2385): 1 to 80 printable ASCII characters, as routers take
/// them. Never printed, not even by `Debug`, and wiped from memory when the last copy goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Md5Key(Zeroizing<Vec<u8>>);

/// Why there is no key. Says nothing of the key itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Md5KeyError {
    /// The file cannot be read.
    #[error("{path}: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Somebody besides its owner may read or change the file.
    #[error("{path}: others than the owner may read it (mode {mode:04o}): chmod 600", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not 1 to 80 bytes.
    #[error("an MD5 key has 1 to {} characters, on one line", Md5Key::MAX)]
    Length,
    /// A character that no router would take.
    #[error("an MD5 key has printable ASCII characters only, on one line")]
    Character,
}

// === impl Md5Key ===

impl Md5Key {
    /// The longest key that the kernel takes, in bytes.
    pub const MAX: usize = 80;

    /// A key of these bytes.
    ///
    /// # Errors
    ///
    /// [`Md5KeyError::Length`] and [`Md5KeyError::Character`].
    pub fn new(bytes: &[u8]) -> Result<Self, Md5KeyError> {
        if bytes.is_empty() || bytes.len() > Self::MAX {
            return Err(Md5KeyError::Length);
        }
        if !bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
            return Err(Md5KeyError::Character);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Reads a key from a file that only its owner may read: one line, whose end is not part of
    /// the key.
    ///
    /// # Errors
    ///
    /// Every variant of [`Md5KeyError`].
    pub fn read(path: &Path) -> Result<Self, Md5KeyError> {
        let unreadable = |error| Md5KeyError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(Md5KeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        // One byte more than the longest key with the end of its line.
        let limit = Self::MAX + 3;
        let mut content = Zeroizing::new(Vec::with_capacity(limit));
        file.take(limit as u64)
            .read_to_end(&mut content)
            .map_err(unreadable)?;
        Self::parse(&content)
    }

    /// A key as a file has it: one line, whose end is not part of the key.
    ///
    /// # Errors
    ///
    /// As [`Md5Key::new`].
    pub fn parse(content: &[u8]) -> Result<Self, Md5KeyError> {
        let line = content.strip_suffix(b"\n").unwrap_or(content);
        Self::new(line.strip_suffix(b"\r").unwrap_or(line))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Md5Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Md5Key(secret)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(content: &[u8], mode: u32) -> Result<Md5Key, Md5KeyError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Md5Key::read(&path)
    }

    #[test]
    fn a_key_is_read_without_the_end_of_its_line() {
        for content in ["secret", "secret\n", "secret\r\n"] {
            let key = file(content.as_bytes(), 0o600).unwrap();
            assert_eq!(key.bytes(), b"secret");
        }
        let longest = [&[b'x'; Md5Key::MAX][..], b"\r\n"].concat();
        assert_eq!(file(&longest, 0o400).unwrap().bytes().len(), Md5Key::MAX);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o620] {
            let error = file(b"secret", mode).unwrap_err();
            assert!(matches!(error, Md5KeyError::Exposed { .. }), "{error}");
            assert!(error.to_string().ends_with("chmod 600"), "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for content in [&b""[..], b"\n", &[b'x'; 81], &[b'x'; 1000]] {
            let error = file(content, 0o600).unwrap_err();
            assert!(matches!(error, Md5KeyError::Length), "{error}");
        }
        for content in [&b"two\nlines"[..], b"s\0", b"\xff"] {
            let error = file(content, 0o600).unwrap_err();
            assert!(matches!(error, Md5KeyError::Character), "{error}");
        }
        let error = Md5Key::read(Path::new("/nowhere/key")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/key: "), "{error}");
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_key() {
        let key = Md5Key::new(b"hunter2").unwrap();
        assert!(!format!("{key:?}").contains("hunter2"));
        let error = Md5Key::new(b"hunter2\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
