use std::{
    fs, io,
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::config::DataDir;

/// `node.json` in the data directory: how the running node is reached. Written
/// by `serve` once it listens, removed when it stops; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// The process that serves (the child, where there is a guard).
    pub pid: u32,
    /// Base URL for clients on this machine, such as
    /// `https://127.0.0.1:8443`.
    pub api_url: String,
    /// Every listener of the API.
    pub api: Vec<SocketAddr>,
    /// The admin listener.
    pub admin: SocketAddr,
    /// PEM certificate of the CA that clients must trust; absent where the
    /// certificate is configured and its CA is taken to be known already.
    pub ca: Option<PathBuf>,
    /// File with the HMAC key of each role.
    pub hmac: HmacFiles,
}

/// Where the HMAC keys of the running node are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacFiles {
    /// `Metal-View`.
    pub view: PathBuf,
    /// `Metal-Edit`.
    pub edit: PathBuf,
    /// `Metal-Admin`.
    pub admin: PathBuf,
}

/// Why the running node is not known.
#[derive(Debug, thiserror::Error)]
pub enum NodeFileError {
    /// Nothing was started here, or it was stopped.
    #[error("no node runs on {}: it has no node.json", .0.display())]
    NotRunning(PathBuf),
    /// The file is left from a node that was killed.
    #[error("no node runs on {}: process {pid}, named by its node.json, is gone", dir.display())]
    Stale {
        /// The data directory.
        dir: PathBuf,
        /// The process that is gone.
        pid: u32,
    },
    /// It cannot be read, which is most often a matter of the user.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its content is not what a node writes.
    #[error("{} is damaged: {error}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: serde_json::Error,
    },
}

// === impl NodeFile ===

impl NodeFile {
    /// Replaces the file in one step, so that a reader sees the old or the new.
    pub fn write(&self, dir: &DataDir) -> io::Result<()> {
        let path = dir.node_file();
        let next = path.with_extension("json.new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&next)?;
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        text.push(b'\n');
        file.write_all(&text)?;
        fs::rename(&next, &path)
    }

    /// Removes the file; harmless when there is none.
    pub fn remove(dir: &DataDir) -> io::Result<()> {
        match fs::remove_file(dir.node_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The node that runs on `dir`. A file whose process is gone is
    /// [`NodeFileError::Stale`].
    pub fn read(dir: &DataDir) -> Result<Self, NodeFileError> {
        let path = dir.node_file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(NodeFileError::NotRunning(dir.path().to_owned()));
            }
            Err(error) => return Err(NodeFileError::Read { path, error }),
        };
        let node: Self = serde_json::from_slice(&text)
            .map_err(|error| NodeFileError::Damaged { path, error })?;
        if !Path::new("/proc").join(node.pid.to_string()).exists() {
            return Err(NodeFileError::Stale {
                dir: dir.path().to_owned(),
                pid: node.pid,
            });
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(pid: u32) -> NodeFile {
        let address = |text: &str| text.parse().unwrap();
        NodeFile {
            pid,
            api_url: "https://127.0.0.1:8443".to_owned(),
            api: vec![address("127.0.0.1:8443")],
            admin: address("127.0.0.1:8081"),
            ca: Some("/x/ca.crt".into()),
            hmac: HmacFiles {
                view: "/x/v".into(),
                edit: "/x/e".into(),
                admin: "/x/a".into(),
            },
        }
    }

    #[test]
    fn a_running_node_is_found_and_a_killed_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let dir = DataDir::new(dir.path());
        assert!(matches!(
            NodeFile::read(&dir),
            Err(NodeFileError::NotRunning(_))
        ));
        node(std::process::id()).write(&dir).unwrap();
        assert_eq!(NodeFile::read(&dir).unwrap(), node(std::process::id()));
        node(u32::MAX).write(&dir).unwrap();
        assert!(matches!(
            NodeFile::read(&dir),
            Err(NodeFileError::Stale { pid: u32::MAX, .. })
        ));
        NodeFile::remove(&dir).unwrap();
        NodeFile::remove(&dir).unwrap();
        assert!(!dir.node_file().exists());
    }
}
