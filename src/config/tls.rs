use std::path::PathBuf;

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
