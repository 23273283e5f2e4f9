//! The files that a configuration names: there, readable, and private where
//! they hold a secret.

use std::{env, fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use metal_bgp::Md5Key;

use super::{Bgp, Hmac, Stores, Tls, keys::PEER, reader::Reader};

/// Certificates and keys are shorter.
const MAX_FILE: u64 = 1 << 20;
/// As long as a shared key may be.
const MAX_KEY: usize = 4096;
/// Of a shared key a client cannot choose less.
const MIN_KEY: usize = 8;

pub(super) fn check(tls: &Tls, hmac: &Hmac, reader: &mut Reader<'_>) {
    if let Tls::Files { certificate, key } = tls {
        for (name, path) in [("tls.certificate", certificate), ("tls.key", key)] {
            match read(path) {
                Err(error) => reader.problem(name, error),
                Ok(text) if !has_pem(&text) => {
                    let what = format!("{} holds no PEM block", path.display());
                    reader.problem(name, what);
                }
                Ok(_) => {}
            }
        }
        if let Err(mode) = private(key) {
            let what = format!("{} has mode {mode:04o}: chmod 0600 it", key.display());
            reader.warning("tls.key", what);
        }
    }
    for (name, key) in [
        ("auth.hmac.admin-key-file", &hmac.admin),
        ("auth.hmac.edit-key-file", &hmac.edit),
        ("auth.hmac.view-key-file", &hmac.view),
    ] {
        let Some(path) = &key.file else { continue };
        if let Err(mode) = private(path) {
            let what = format!(
                "{} has mode {mode:04o}, so others than its owner can use it: chmod 0600 it",
                path.display()
            );
            reader.problem(name, what);
        }
        match read(path) {
            Err(error) => reader.problem(name, error),
            Ok(text) => {
                let length = text.trim_ascii().len();
                if !(MIN_KEY..=MAX_KEY).contains(&length) {
                    let what = format!(
                        "{} holds a key of {length} bytes, expected {MIN_KEY} to {MAX_KEY}",
                        path.display()
                    );
                    reader.problem(name, what);
                }
            }
        }
    }
}

/// The passwords and authorities of the stores.
pub(super) fn check_stores(stores: &Stores, reader: &mut Reader<'_>) {
    for (store, password, ca) in [
        (
            &stores.global,
            "store.global-password-file",
            "store.global-ca-file",
        ),
        (
            &stores.local,
            "store.local-password-file",
            "store.local-ca-file",
        ),
    ] {
        if let Some(path) = &store.password_file {
            if let Err(mode) = private(path) {
                let what = format!(
                    "{} has mode {mode:04o}, so others than its owner can use it: chmod 0600 it",
                    path.display()
                );
                reader.problem(password, what);
            }
            match read(path) {
                Err(error) => reader.problem(password, error),
                Ok(text) if text.trim_ascii().is_empty() => {
                    reader.problem(password, format!("{} is empty", path.display()));
                }
                Ok(_) => {}
            }
        }
        if let Some(path) = &store.ca_file {
            match read(path) {
                Err(error) => reader.problem(ca, error),
                Ok(text) if !has_pem(&text) => {
                    reader.problem(ca, format!("{} holds no PEM block", path.display()));
                }
                Ok(_) => {}
            }
        }
    }
}

fn has_pem(text: &[u8]) -> bool {
    text.windows(11).any(|window| window == b"-----BEGIN ")
}

/// The content; the error names the file.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("cannot read {}: {error}", path.display());
    let file = fs::File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut content = Vec::new();
    file.take(MAX_FILE)
        .read_to_end(&mut content)
        .map_err(failed)?;
    Ok(content)
}

/// The keys of BGP peers.
pub(super) fn check_peers(bgp: &Bgp, reader: &mut Reader<'_>) {
    for (index, peer) in bgp.peers.iter().enumerate() {
        if let Err(what) = peer.md5_key() {
            reader.problem(&format!("{PEER}[{index}].md5-key-file"), what);
        }
    }
}

/// The key in a file that only its owner can use; the error names the file, and nothing of the key.
pub(super) fn md5_key(path: &Path) -> Result<Md5Key, String> {
    if let Err(mode) = private(path) {
        let path = path.display();
        return Err(format!(
            "others can use {path} (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    let mut content = read(path)?;
    let key = Md5Key::parse(&content);
    content.fill(0);
    key.map_err(|error| format!("{}: {error}", path.display()))
}

/// The mode of a file that others than its owner can use. systemd's credentials
/// are private by an access control list, which shows as a group's permission.
fn private(path: &Path) -> Result<(), u32> {
    let credentials = env::var_os("CREDENTIALS_DIRECTORY");
    if credentials.is_some_and(|directory| path.starts_with(directory)) {
        return Ok(());
    }
    // A file that is not there is another problem.
    let Ok(found) = fs::metadata(path) else {
        return Ok(());
    };
    match found.permissions().mode() & 0o7777 {
        mode if mode & 0o077 != 0 => Err(mode),
        _ => Ok(()),
    }
}
