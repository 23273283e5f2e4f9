use crate::error::Error;

/// Why a request to etcd has no answer.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It did not happen. Worth trying again.
    NotDone(String),
    /// It may have happened, or may happen yet.
    Unknown(String),
    /// There is no space left. It happened or it did not, and nothing of it is on its way any more:
    /// etcd checks the space before it takes a transaction up and once more when it applies it, and
    /// the second time it applies it and answers with the same words.
    Full(String),
    /// The cluster's revision that was asked for is compacted.
    Compacted,
    /// To try again is pointless.
    Refused(Error),
}

// === impl Fault ===

impl Fault {
    /// What a reader is told.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::NotDone(reason) | Self::Unknown(reason) | Self::Full(reason) => {
                Error::Unavailable { reason }
            }
            Self::Compacted => Error::Unavailable {
                reason: "etcd compacted what was being read".into(),
            },
            Self::Refused(error) => error,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// An error with its causes, the innermost last.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
