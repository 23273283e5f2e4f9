use std::time::Duration;

/// `[http]`: the requests that the API itself makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Bound on the HEAD request that checks an image's URL.
    pub head_timeout: Duration,
}
