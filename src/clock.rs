//! The wall clock, in one place.
//!
//! Timeouts use [`std::time::Instant`]; wall time is only for display, for the
//! dates that clients sign and for the validity of certificates.

use chrono::{DateTime, Utc};

/// The wall clock now.
#[allow(clippy::disallowed_methods)] // this is the one place
pub fn wall() -> DateTime<Utc> {
    Utc::now()
}
