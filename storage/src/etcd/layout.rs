//! Where things are in etcd. Text throughout, so that `etcdctl get --prefix` shows it:
//!
//! ```text
//! PREFIX/format                   the version of this layout
//! PREFIX/SCOPE/head               revision, oldest revision watchable, revision of the records
//! PREFIX/SCOPE/turn               the node that last found that another had committed first
//! PREFIX/SCOPE/c/REVISION         the changes of one transaction; its last revision, in hex
//! PREFIX/SCOPE/r/TABLE/ID         a record
//! ```
//!
//! No part but the id contains `/`, and a scope's first word says how many words it has.

use bytes::Bytes;

use crate::key::Key;
use crate::name::Name;
use crate::revision::Revision;
use crate::scope::Scope;

/// The version of this layout.
pub(super) const FORMAT: &str = "1";

/// Where one scope's things are.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    base: String,
}

pub(super) fn format(prefix: &str) -> Bytes {
    Bytes::from(format!("{prefix}/format"))
}

// === impl Layout ===

impl Layout {
    pub(super) fn new(prefix: &str, scope: &Scope) -> Self {
        Self {
            base: format!("{prefix}/{scope}"),
        }
    }

    pub(super) fn head(&self) -> Bytes {
        Bytes::from(format!("{}/head", self.base))
    }

    pub(super) fn turn(&self) -> Bytes {
        Bytes::from(format!("{}/turn", self.base))
    }

    /// Changes whose transaction ended with this revision.
    pub(super) fn change(&self, last: Revision) -> Bytes {
        Bytes::from(format!("{}/c/{:016x}", self.base, last.get()))
    }

    /// What no key of changes reaches.
    pub(super) fn changes_end(&self) -> Bytes {
        Bytes::from(format!("{}/c0", self.base))
    }

    pub(super) fn record(&self, key: &Key) -> Bytes {
        Bytes::from(format!("{}/r/{}/{}", self.base, key.table(), key.id()))
    }

    /// The first key that could be a record's, and what none reaches.
    pub(super) fn records(&self) -> (Bytes, Bytes) {
        let at = |end: &str| Bytes::from(format!("{}/{end}", self.base));
        (at("r/"), at("r0"))
    }

    /// The key of the record that is there; `None` if that is no record's place.
    pub(super) fn key(&self, scope: &Scope, at: &[u8]) -> Option<Key> {
        let at = std::str::from_utf8(at).ok()?;
        let rest = at.strip_prefix(&self.base)?.strip_prefix("/r/")?;
        let (table, id) = rest.split_once('/')?;
        Key::new(scope.clone(), Name::try_from(table).ok()?, id).ok()
    }
}
