//! What a probe is.

use std::sync::Arc;

use futures::future::BoxFuture;

/// What one run of a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// As it should be.
    Good,
    /// Clients are served, but something is wrong that every partition may
    /// share: never a reason to withdraw.
    Poor(Arc<str>),
    /// Clients would not be served.
    Bad(Arc<str>),
}

/// Looks at one thing that clients would feel.
pub trait Probe: Send + Sync + 'static {
    /// A short name for status, logs and metrics.
    fn name(&self) -> &str;

    /// Looks once. The checker bounds the time; a run that is late is not
    /// started a second time.
    fn run(&self) -> BoxFuture<'static, Finding>;
}

// === impl Finding ===

impl Finding {
    /// A bad finding because of `why`.
    pub fn bad(why: impl Into<Arc<str>>) -> Self {
        Self::Bad(why.into())
    }

    /// What is wrong, if anything.
    pub fn why(&self) -> Option<&Arc<str>> {
        match self {
            Finding::Good => None,
            Finding::Poor(why) | Finding::Bad(why) => Some(why),
        }
    }
}
