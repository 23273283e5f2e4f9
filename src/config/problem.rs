use std::fmt;

use super::Origin;

/// One thing that is wrong (or doubtful) with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands; none when something is missing everywhere.
    pub origin: Option<Origin>,
    /// The full key, such as `listen.admin`; empty for a syntax error.
    pub key: String,
    /// What is wrong with it and, where that is known, what would be right.
    pub what: String,
}

/// Everything that is wrong with a configuration, in the order of its sources.
/// Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

// === impl Problem ===

impl Problem {
    pub(super) fn new(origin: Option<Origin>, key: &str, what: impl Into<String>) -> Self {
        Self {
            origin,
            key: key.to_owned(),
            what: what.into(),
        }
    }
}

/// `metal-edge.toml:3:1: listen.admn: unknown key; did you mean listen.admin?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}
