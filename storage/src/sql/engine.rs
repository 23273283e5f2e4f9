use std::fmt;

/// Which database answers. Both speak PostgreSQL's protocol and, to each other's users, a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// PostgreSQL 15 or newer: `postgres://…`.
    Postgres,
    /// CockroachDB 23.1 or newer: `cockroach://…`.
    Cockroach,
}

// === impl Engine ===

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Cockroach];

    /// Whether the text that `SELECT version()` gives is this engine's.
    pub(super) fn is(self, version: &str) -> bool {
        version.starts_with("CockroachDB") == (self == Self::Cockroach)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Cockroach => "CockroachDB",
        })
    }
}
