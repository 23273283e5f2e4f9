use crate::error::Error;
use crate::revision::Revision;
use crate::scope::Scope;

/// What a scope's head key says. Every transaction on the scope compares and writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The newest revision.
    pub(super) revision: Revision,
    /// The oldest revision that can be watched from.
    pub(super) oldest: Revision,
    /// The record keys are those of this revision; behind it, the changes tell.
    pub(super) written: Revision,
    /// etcd's own revision of the key; 0 if it was never written.
    pub(super) mod_revision: i64,
}

// === impl Head ===

impl Head {
    pub(super) fn encode(&self) -> String {
        format!("{} {} {}", self.revision, self.oldest, self.written)
    }

    pub(super) fn decode(scope: &Scope, value: &[u8], mod_revision: i64) -> Result<Self, Error> {
        let numbers = || {
            let text = std::str::from_utf8(value).ok()?;
            let mut words = text.split(' ').map(|word| word.parse().map(Revision::new));
            let head = Self {
                revision: words.next()?.ok()?,
                oldest: words.next()?.ok()?,
                written: words.next()?.ok()?,
                mod_revision,
            };
            let ordered = head.oldest <= head.written && head.written <= head.revision;
            (ordered && words.next().is_none()).then_some(head)
        };
        numbers().ok_or_else(|| Error::Corrupt {
            what: format!("the head of {scope}"),
            cause: "it is no head".into(),
        })
    }
}
