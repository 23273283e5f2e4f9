use std::path::PathBuf;

use super::reader::Reader;

/// `[tls]`: the server certificate of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// No files configured: the node makes its own CA and a certificate from
    /// it in the data directory.
    OwnCa,
    /// Files that somebody else renews; they are read again when they change.
    Files {
        /// PEM chain, the server's own certificate first.
        certificate: PathBuf,
        /// PEM private key (PKCS#8, SEC1 or PKCS#1) of the first certificate.
        key: PathBuf,
    },
}

// === impl Tls ===

impl Tls {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let certificate: Option<PathBuf> = reader.optional("tls.certificate");
        let key: Option<PathBuf> = reader.optional("tls.key");
        match (certificate, key) {
            (Some(certificate), Some(key)) => Self::Files { certificate, key },
            (Some(_), None) if reader.node("tls.key").is_none() => {
                reader.problem("tls.certificate", "tls.key is missing beside it");
                Self::OwnCa
            }
            (None, Some(_)) if reader.node("tls.certificate").is_none() => {
                reader.problem("tls.key", "tls.certificate is missing beside it");
                Self::OwnCa
            }
            _ => Self::OwnCa,
        }
    }
}
