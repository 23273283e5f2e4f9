//! Random keys and tokens, made at the first start and kept in the data
//! directory, readable by the owner alone.

use std::io;
use std::path::Path;

use aws_lc_rs::rand;

use crate::files;

/// Largest key file that is read, in bytes.
pub const MAX_KEY: u64 = 4096;
/// Bytes of randomness in a generated key.
const ENTROPY: usize = 32;

/// The secret in `path`; a random one is made where there is none.
pub fn load_or_create(path: &Path) -> io::Result<String> {
    match load(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = random()?;
            files::write(path, secret.as_bytes(), files::SECRET)?;
            Ok(secret)
        }
        outcome => outcome,
    }
}

/// The secret in `path`, without white space around it.
pub fn load(path: &Path) -> io::Result<String> {
    let bytes = files::read(path, MAX_KEY)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "empty"));
    }
    Ok(secret.to_owned())
}

fn random() -> io::Result<String> {
    let mut bytes = [0_u8; ENTROPY];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("no randomness from the system"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_differs_from_every_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let [admin, view] = ["admin", "view"].map(|name| directory.path().join(name));
        let first = load_or_create(&admin).expect("made");
        assert_eq!(first.len(), 2 * ENTROPY);
        assert_eq!(load_or_create(&admin).expect("loaded"), first);
        assert_ne!(load_or_create(&view).expect("made"), first);
    }

    #[test]
    fn an_empty_key_file_is_an_error_not_an_empty_key() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        files::write(&path, b" \n", files::SECRET).expect("written");
        let error = load_or_create(&path).expect_err("empty");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
