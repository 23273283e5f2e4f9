//! The server certificate and its key, reloaded when their files change.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::tls;
use crate::files;
use crate::trust::x509::alternative_names;

const MAX_FILE: u64 = 256 * 1024;

/// Why a certificate could not be loaded.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{path}: {reason}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error("{certificate} and {key} do not belong together: {reason}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        reason: rustls::Error,
    },
}

/// A loaded certificate: what is served, and what operators ask about it.
#[derive(Debug)]
pub struct Loaded {
    certified: Arc<CertifiedKey>,
    /// The server certificate itself.
    pub leaf: CertificateDer<'static>,
    /// End of its validity.
    pub not_after: DateTime<Utc>,
    /// Its issuer's name.
    pub issuer: String,
    /// The names and addresses that it speaks for.
    pub names: Vec<String>,
}

/// The certificate that new connections are served with.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<Loaded>,
    stamp: Mutex<Stamp>,
}

/// Tells a changed file: inode, size and time of change of both.
type Stamp = [Option<(u64, u64, i64, i64)>; 2];

// === impl Certificates ===

impl Certificates {
    /// Loads a PEM certificate chain and its PEM key.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let stamp = stamp(certificate, key);
        let current = Loaded::from_files(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::from_pointee(current),
            stamp: Mutex::new(stamp),
        })
    }

    /// The certificate in use.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// The file that the certificate comes from.
    pub fn path(&self) -> &Path {
        &self.certificate
    }

    /// Loads the files again if one of them changed since they were looked at;
    /// says whether a new certificate is in use. On an error the old one stays,
    /// and the files are looked at again once they change again.
    pub fn reload(&self) -> Result<bool, Error> {
        let fresh = stamp(&self.certificate, &self.key);
        {
            let mut seen = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == fresh {
                return Ok(false);
            }
            *seen = fresh;
        }
        let loaded = Loaded::from_files(&self.certificate, &self.key)?;
        let changed = loaded.leaf != self.current.load().leaf;
        self.current.store(Arc::new(loaded));
        Ok(changed)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().certified))
    }
}

// === impl Loaded ===

impl Loaded {
    fn from_files(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let invalid = |path: &Path, reason: String| Error::Invalid {
            path: path.to_owned(),
            reason,
        };
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&read(certificate)?)
                .collect::<Result<_, _>>()
                .map_err(|error| invalid(certificate, error.to_string()))?;
        let leaf = chain
            .first()
            .ok_or_else(|| invalid(certificate, "no certificate in it".to_owned()))?
            .clone();
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|_| invalid(key, "no private key in PEM form".to_owned()))?;
        let certified =
            CertifiedKey::from_der(chain, secret, &tls::provider()).map_err(|reason| {
                Error::Mismatch {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                    reason,
                }
            })?;
        let (_, parsed) = X509Certificate::from_der(&leaf)
            .map_err(|error| invalid(certificate, error.to_string()))?;
        let not_after = parsed.validity().not_after.timestamp();
        let names = alternative_names(&parsed).unwrap_or_default();
        Ok(Self {
            certified: Arc::new(certified),
            not_after: DateTime::from_timestamp(not_after, 0).unwrap_or(DateTime::<Utc>::MAX_UTC),
            issuer: parsed.issuer().to_string(),
            names,
            leaf,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    files::read(path, MAX_FILE).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let meta = fs::metadata(path).ok()?;
        Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::trust::own_ca::{OwnCa, Subject};

    fn issue(directory: &Path, name: &str) {
        let subject = Subject {
            node: "fra-1".to_owned(),
            names: BTreeSet::from([name.to_owned()]),
            addresses: BTreeSet::new(),
        };
        OwnCa::new(directory).ensure(&subject).expect("issued");
    }

    #[test]
    fn changed_files_are_loaded_and_a_mismatch_keeps_the_old_certificate() {
        let [old, new] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
        issue(old.path(), "old.example");
        issue(new.path(), "new.example");
        let (certificate, key) = (old.path().join("tls.crt"), old.path().join("tls.key"));
        let certificates = Certificates::load(&certificate, &key).expect("loaded");
        assert!(!certificates.reload().expect("unchanged"));

        fs::copy(new.path().join("tls.crt"), &certificate).expect("copied");
        let error = certificates.reload().expect_err("the old key").to_string();
        assert!(error.contains("do not belong together"), "{error}");
        assert_eq!(certificates.current().names, ["old.example"]);

        fs::copy(new.path().join("tls.key"), &key).expect("copied");
        assert!(certificates.reload().expect("both new"));
        assert_eq!(certificates.current().names, ["new.example"]);
    }

    #[test]
    fn a_key_that_is_none_is_named_without_showing_what_it_holds() {
        let directory = tempfile::tempdir().expect("a directory");
        issue(directory.path(), "a.example");
        let key = directory.path().join("tls.key");
        fs::write(&key, "hunter2").expect("written");
        let error = Certificates::load(&directory.path().join("tls.crt"), &key)
            .expect_err("no key")
            .to_string();
        assert!(
            error.contains("tls.key") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
