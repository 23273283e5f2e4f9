use std::process::ExitCode;

/// How a command ended, as documented in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exit(pub(super) u8);

// === impl Exit ===

impl Exit {
    pub(super) const OK: Self = Self(0);
    /// It could not be done, or a check failed. Usage errors (2) are clap's.
    pub(super) const ERROR: Self = Self(1);
    /// The node is not fit to serve.
    pub(super) const UNHEALTHY: Self = Self(3);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
