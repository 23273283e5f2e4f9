use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::plan::OPS;
use super::url;
use crate::error::{Error, Result, invalid};
use crate::limits::{HISTORY_REVISIONS, REVISION_WAIT};

/// Where an etcd cluster is, how to speak with it, and the bounds of an [`Etcd`](super::Etcd)
/// store.
#[derive(Clone, Debug)]
pub struct EtcdOptions {
    /// The members' client addresses, `host:port`; at least one. Every one may be asked; the
    /// next is tried when one fails.
    pub endpoints: Vec<String>,
    /// What every key begins with. Stores of different prefixes share a cluster and nothing else.
    pub prefix: String,
    /// Whether and how the connections are encrypted.
    pub tls: EtcdTls,
    /// Who we are, if the cluster asks.
    pub credential: Option<EtcdCredential>,
    /// Revisions that each scope remembers, at least one: changes for watchers, operation ids for
    /// repeated commits. Every node of a cluster should have the same.
    pub history_revisions: u64,
    /// Bytes of changes that each scope remembers; the oldest are forgotten first, though there
    /// are fewer than `history_revisions`. The newest is always kept. They are in memory too.
    pub history_bytes: usize,
    /// Bytes of the records of one scope at most; they are in memory too. A commit that would
    /// exceed it is refused.
    pub scope_bytes: usize,
    /// Scopes that are in use at most.
    pub scopes: usize,
    /// Commits of a scope that wait at most.
    pub queue: usize,
    /// How long a commit waits for a place in the queue before it is refused.
    pub queue_wait: Duration,
    /// How long a commit is tried before it is given up. Longer than an election, so that a
    /// change of the leader is no error.
    pub commit_wait: Duration,
    /// How long a read of the latest is tried.
    pub read_wait: Duration,
    /// How long one member has for connecting.
    pub connect_wait: Duration,
    /// How long one member has for one answer.
    pub request_wait: Duration,
    /// How long reads and watchers wait for a revision that is not reached.
    pub revision_wait: Duration,
    /// How often a scope is looked at although no member told of a change, should a member have
    /// lost its watch without saying so.
    pub poll: Duration,
    /// Commits that share one transaction at most.
    pub group_batches: usize,
    /// Operations of one transaction at most; etcd's `--max-txn-ops` is 128 unless set.
    pub txn_ops: usize,
    /// Bytes of one request at most, as far as we choose; etcd's `--max-request-bytes` is 1.5 MiB
    /// unless set, which is needed for a batch of the greatest size.
    pub request_bytes: usize,
    /// How often a group is tried again because another node has committed first.
    pub retries: u32,
}

/// Whether and how connections to etcd are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EtcdTls {
    /// Plain text; whoever is between reads and changes everything.
    Off,
    /// TLS; the members' certificates are checked, and their names.
    On {
        /// File with the authorities trusted, in PEM; the system's if there is none.
        ca: Option<PathBuf>,
        /// Files with our own certificate and its key, in PEM, if the cluster asks for one.
        identity: Option<(PathBuf, PathBuf)>,
    },
}

/// A user of etcd. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdCredential {
    /// The user.
    pub user: String,
    pub(super) password: String,
}

// === impl EtcdOptions ===

impl EtcdOptions {
    /// The defaults, for these members. Plain text if all of them are on the loopback, else TLS
    /// with the system's authorities.
    pub fn new(endpoints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let endpoints: Vec<String> = endpoints.into_iter().map(Into::into).collect();
        let tls = if endpoints.iter().all(|endpoint| url::is_loopback(endpoint)) {
            EtcdTls::Off
        } else {
            EtcdTls::On {
                ca: None,
                identity: None,
            }
        };
        Self {
            endpoints,
            prefix: "metal".into(),
            tls,
            credential: None,
            history_revisions: HISTORY_REVISIONS,
            history_bytes: 64 * 1024 * 1024,
            scope_bytes: 1024 * 1024 * 1024,
            scopes: 1024,
            queue: 1024,
            queue_wait: Duration::from_secs(1),
            commit_wait: Duration::from_secs(5),
            read_wait: Duration::from_secs(4),
            connect_wait: Duration::from_secs(1),
            request_wait: Duration::from_secs(2),
            revision_wait: REVISION_WAIT,
            poll: Duration::from_secs(2),
            group_batches: 512,
            txn_ops: 128,
            request_bytes: 1_024 * 1024,
            retries: 64,
        }
    }

    /// What a URL says, and for the rest the defaults:
    /// `etcd://HOST:PORT,HOST:PORT/PREFIX?tls=on&ca=FILE&cert=FILE&key=FILE`. All but the first
    /// host can be left out; a port left out is 2379. `tls=off` permits plain text to other
    /// hosts than this one, which is refused unless said so. A URL holds no password.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the part that is wrong.
    pub fn from_url(url: &str) -> Result<Self> {
        url::parse(url)
    }

    /// Logs in with the credential of a file: the user on its first line, the password on its
    /// second.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the file cannot be read, [`Error::Invalid`] if there is no
    /// user and password in it. The contents are in no error.
    pub fn with_credential_file(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::Unavailable {
            reason: format!("{}: {error}", path.display()),
        })?;
        let mut lines = text.lines();
        match (lines.next(), lines.next(), lines.next()) {
            (Some(user), Some(password), None) if !user.is_empty() && !password.is_empty() => {
                self.credential = Some(EtcdCredential::new(user, password));
                Ok(self)
            }
            _ => Err(invalid!(
                "{}: a credential is two lines, the user and the password",
                path.display()
            )),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.endpoints.is_empty() {
            return Err(invalid!("an etcd store needs an endpoint"));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if !(1..=63).contains(&self.prefix.len()) || !self.prefix.bytes().all(allowed) {
            return Err(invalid!(
                "{:?} cannot begin the keys of a store: use 1 to 63 of a-z A-Z 0-9 . _ -",
                self.prefix
            ));
        }
        // One record, or nothing would ever be written.
        if self.txn_ops <= OPS {
            return Err(invalid!(
                "a transaction needs more than {OPS} operations, not {}",
                self.txn_ops
            ));
        }
        Ok(())
    }
}

// === impl EtcdCredential ===

impl EtcdCredential {
    /// A user and its password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for EtcdCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EtcdCredential({:?}, hidden)", self.user)
    }
}
