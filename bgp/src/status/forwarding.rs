//! Whether a peer sends packets here, as an operator sees it.

use ipnet::IpNet;
use serde::Serialize;

/// Whether a peer sends here the packets to what it was told, at one moment. A notice: nothing
/// follows from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ForwardingStatus {
    /// Prefixes of which a packet came back from the peer since it was told.
    pub verified: Vec<IpNet>,
    /// Prefixes of which none did, after some seconds and a hundred packets or more.
    pub missing: Vec<IpNet>,
    /// Why it cannot be looked at, as one sentence.
    pub unverified: Option<String>,
}

// === impl ForwardingStatus ===

impl ForwardingStatus {
    /// Cause and fix in one sentence, if a prefix is missing.
    pub fn notice(&self) -> Option<String> {
        let first = self.missing.first()?;
        let more = match self.missing.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        Some(format!(
            "the leaf does not send {first}{more} here: its import policy refuses it, or it \
             prefers another path; permit the prefix for this neighbor (FRR: route-map or \
             prefix-list in)"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_names_a_prefix_and_how_many_more() {
        let missing = |prefixes: &[&str]| ForwardingStatus {
            missing: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
            ..ForwardingStatus::default()
        };
        assert_eq!(missing(&[]).notice(), None);
        let one = missing(&["192.0.2.1/32"]).notice().unwrap();
        let begin = "the leaf does not send 192.0.2.1/32 here: its import policy refuses it";
        assert!(one.starts_with(begin), "{one}");
        let two = missing(&["192.0.2.1/32", "2001:db8::1/128"]).notice();
        assert!(two.unwrap().contains("192.0.2.1/32 (and 1 more) here"));
    }
}
