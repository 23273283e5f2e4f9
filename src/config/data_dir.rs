use std::path::{Path, PathBuf};

/// The directory that a node keeps its state in, and the names of what is in
/// it. Always absolute. One running node per directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

// === impl DataDir ===

impl DataDir {
    /// A relative path counts from the current directory.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The embedded store (redb).
    pub fn store(&self) -> PathBuf {
        self.0.join("store.redb")
    }

    /// The replica of the global scope (redb), where that is kept on a server.
    pub fn replica(&self) -> PathBuf {
        self.0.join("replica-global.redb")
    }

    /// Locked by the node that runs here.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Certificate of the node's own CA.
    pub fn ca_certificate(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    /// Private key of the node's own CA, mode 0600.
    pub fn ca_key(&self) -> PathBuf {
        self.0.join("ca.key")
    }

    /// Server certificate issued by the node's own CA.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("tls.crt")
    }

    /// Private key of [`DataDir::certificate`], mode 0600.
    pub fn key(&self) -> PathBuf {
        self.0.join("tls.key")
    }

    /// HMAC key of the role admin, mode 0600.
    pub fn hmac_admin_key(&self) -> PathBuf {
        self.0.join("hmac-admin.key")
    }

    /// HMAC key of the role edit, mode 0600.
    pub fn hmac_edit_key(&self) -> PathBuf {
        self.0.join("hmac-edit.key")
    }

    /// HMAC key of the role view, mode 0600.
    pub fn hmac_view_key(&self) -> PathBuf {
        self.0.join("hmac-view.key")
    }

    /// Bearer token of the admin listener, mode 0600.
    pub fn admin_token(&self) -> PathBuf {
        self.0.join("admin.token")
    }

    /// Which addresses the node has put on `lo`.
    pub fn loopback(&self) -> PathBuf {
        self.0.join("lo.json")
    }

    /// There while an operator has the node out of service.
    pub fn maintenance(&self) -> PathBuf {
        self.0.join("maintenance")
    }

    /// Where the running node says how it is reached.
    pub fn node_file(&self) -> PathBuf {
        self.0.join("node.json")
    }
}
