use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Result, invalid};

/// Bits of a key's mode that let others than its owner use it.
const OTHERS: u32 = 0o077;

/// The same where its owner is root, whose group may read it.
const OTHERS_OF_ROOT: u32 = 0o037;

/// The key that one proves oneself to the database with, by the parameters of its URL.
///
/// # Errors
/// [`Invalid`](crate::Error::Invalid) if there is a certificate without a key or the reverse, or a
/// path that is not written out.
pub(super) fn key(parameters: &str) -> Result<Option<PathBuf>> {
    let find = |name| {
        let mut pairs = parameters.split('&').filter_map(|p| p.split_once('='));
        pairs.find_map(|(n, value)| (n == name).then_some(value))
    };
    match (find("sslcert"), find("sslkey")) {
        (None, None) => Ok(None),
        (Some(_), Some(key)) if key.contains(['%', '+']) => Err(invalid!(
            "the database's URL: sslkey is a path without '%' and '+'"
        )),
        (Some(_), Some(key)) => Ok(Some(key.into())),
        _ => Err(invalid!(
            "the database's URL: sslcert and sslkey belong together"
        )),
    }
}

/// Refuses a key that others can use, as libpq does.
///
/// # Errors
/// [`Invalid`](crate::Error::Invalid), naming the file, also if there is none.
pub(super) fn check(key: &Path) -> Result<()> {
    let found = std::fs::metadata(key)
        .map_err(|e| invalid!("the key for the database in {}: {e}", key.display()))?;
    let others = match found.uid() {
        0 => OTHERS_OF_ROOT,
        _ => OTHERS,
    };
    match found.mode() & 0o7777 {
        mode if mode & others != 0 => Err(invalid!(
            "the key for the database in {} has mode {mode:04o}, so others than its owner can use it: chmod 0600 it",
            key.display()
        )),
        _ => Ok(()),
    }
}
