use std::time::Duration;

use super::reader::Reader;

/// `[http]`: the requests that the API itself makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Bound on the HEAD request that checks an image's URL.
    pub head_timeout: Duration,
}

// === impl Http ===

impl Http {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let bounds = Duration::from_millis(100)..=Duration::from_secs(60);
        Self {
            head_timeout: reader.within("http.head-timeout", bounds),
        }
    }
}
