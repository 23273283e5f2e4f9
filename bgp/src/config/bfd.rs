//! BFD with a peer.

use std::time::Duration;

/// Bidirectional Forwarding Detection with a peer (RFC 5880): both sides send small packets, and
/// a side that misses them ends the BGP session at once. The peer must be configured for it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BfdConfig {
    /// How often we send, and how often we can take a packet: 50 ms to 60 s in whole
    /// milliseconds. The slower one of both sides counts. Default 300 ms.
    pub interval: Duration,
    /// How many of our packets in a row the peer must miss to take us for dead: 1 to 255.
    /// Default 3.
    pub multiplier: u8,
    /// Over routers (RFC 5883, UDP port 4784) in place of a single link (RFC 5881, UDP port
    /// 3784).
    pub multihop: bool,
}

// === impl BfdConfig ===

impl BfdConfig {
    const INTERVALS: std::ops::RangeInclusive<Duration> =
        Duration::from_millis(50)..=Duration::from_secs(60);

    /// What is wrong with it, if something is.
    pub(super) fn mistake(&self) -> Option<&'static str> {
        let whole = self.interval.subsec_nanos().is_multiple_of(1_000_000);
        match self {
            _ if !Self::INTERVALS.contains(&self.interval) || !whole => {
                Some("interval must be 50ms to 60s, in whole milliseconds")
            }
            _ if self.multiplier == 0 => Some("multiplier must be 1 to 255"),
            _ => None,
        }
    }
}

impl Default for BfdConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(300),
            multiplier: 3,
            multihop: false,
        }
    }
}
