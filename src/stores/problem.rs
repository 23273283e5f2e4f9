use std::path::Path;

use metal_storage::{Error, Key, Name, Read, Scope};

use super::open::{self, Mode};
use crate::config::{DataDir, StoreSettings};
use crate::schemas;

/// Why a store cannot be used, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) cause: String,
    pub(crate) fix: &'static str,
}

/// Opens a store as it is, reads from it and closes it.
///
/// # Errors
/// What keeps a node from using it.
pub(crate) async fn look(settings: &StoreSettings, directory: &DataDir) -> Result<(), Problem> {
    let store = open::open(settings, directory, Mode::AsItIs)
        .await
        .map_err(|error| Problem::of(&error))?;
    let table = Name::from_static(schemas::ALL[0].table());
    let read = async {
        let key = Key::new(Scope::Global, table, "check")?;
        store.get(&key, Read::Latest).await.map(drop)
    };
    let outcome = read.await.map_err(|error| Problem::of(&error));
    store.close().await;
    outcome
}

/// Looks at a file of redb that no node has open, and leaves it as it is.
///
/// # Errors
/// What keeps a node from using it.
pub(crate) fn look_at_file(path: &Path) -> Result<(), Problem> {
    super::redb::look(path).map_err(|error| Problem::of(&error))
}

// === impl Problem ===

impl Problem {
    fn of(error: &Error) -> Self {
        let cause = match error {
            Error::Unavailable { reason } => reason.clone(),
            error => error.to_string(),
        };
        let fix = match error {
            Error::Corrupt { .. } => {
                "put the right file back, or move this one away and restore a backup with \
                 `metal-edge store restore`"
            }
            Error::Invalid(text) if text.contains("not migrated") => {
                "run `metal-edge store migrate`, or start a node, which does the same"
            }
            Error::Invalid(text) if text.contains("newer") => {
                "run the version of metal-edge that wrote it, or a newer one"
            }
            Error::Invalid(_) => "use an engine and a version that are supported, see the README",
            _ if cause.contains("read-only") => "name the primary, or wait until one is elected",
            _ if says_who(&cause) => "correct the user, the password file or the CA file",
            _ => {
                "see whether it runs, whether its address is right, and whether a firewall is between"
            }
        };
        Self { cause, fix }
    }
}

/// Whether the cause is one of identity: ours or the server's.
fn says_who(cause: &str) -> bool {
    let cause = cause.to_lowercase();
    [
        "password",
        "authentication",
        "certificate",
        "tls",
        "ssl",
        "role",
    ]
    .iter()
    .any(|word| cause.contains(word))
}
