//! What is announced.

use ipnet::IpNet;
use serde::Serialize;

use crate::{AnnouncementError, Community};

/// The most prefixes that one announcement may have.
pub const MAX_PREFIXES: usize = 1024;

/// The most communities that one announcement may have.
pub const MAX_COMMUNITIES: usize = 64;

/// What the speaker tells every peer: prefixes, and the attributes that they share.
///
/// Sorted and without duplicates, so that two announcements are equal exactly when the peers
/// would not see a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announcement {
    prefixes: Vec<IpNet>,
    med: Option<u32>,
    communities: Vec<Community>,
}

// === impl Announcement ===

impl Announcement {
    /// An announcement of `prefixes` with a MULTI_EXIT_DISC (RFC 4271 section 5.1.4; lower is
    /// more attractive) and communities (RFC 1997).
    ///
    /// # Errors
    ///
    /// A prefix with host bits, a multicast or unspecified one, more than [`MAX_PREFIXES`]
    /// prefixes or [`MAX_COMMUNITIES`] communities. No prefix at all is allowed and announces
    /// nothing.
    pub fn new(
        prefixes: impl IntoIterator<Item = IpNet>,
        med: Option<u32>,
        communities: impl IntoIterator<Item = Community>,
    ) -> Result<Self, AnnouncementError> {
        let mut prefixes: Vec<IpNet> = prefixes.into_iter().take(MAX_PREFIXES + 1).collect();
        if prefixes.len() > MAX_PREFIXES {
            return Err(AnnouncementError::TooManyPrefixes);
        }
        for prefix in &prefixes {
            if prefix.addr() != prefix.network() {
                return Err(AnnouncementError::HostBits {
                    prefix: *prefix,
                    network: prefix.trunc(),
                });
            }
            if prefix.addr().is_multicast() || prefix.addr().is_loopback() {
                return Err(AnnouncementError::NotUnicast(*prefix));
            }
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let without_communities = Self {
            prefixes,
            med,
            communities: Vec::new(),
        };
        without_communities.with_communities(communities)
    }

    /// The same announcement with other communities, for example
    /// [`Community::GRACEFUL_SHUTDOWN`] alone.
    ///
    /// # Errors
    ///
    /// More than [`MAX_COMMUNITIES`] communities.
    pub fn with_communities(
        self,
        communities: impl IntoIterator<Item = Community>,
    ) -> Result<Self, AnnouncementError> {
        let mut communities: Vec<_> = communities.into_iter().take(MAX_COMMUNITIES + 1).collect();
        if communities.len() > MAX_COMMUNITIES {
            return Err(AnnouncementError::TooManyCommunities);
        }
        communities.sort_unstable();
        communities.dedup();
        Ok(Self {
            communities,
            ..self
        })
    }

    /// The prefixes, sorted.
    pub fn prefixes(&self) -> &[IpNet] {
        &self.prefixes
    }

    /// The MULTI_EXIT_DISC, if one is sent.
    pub fn med(&self) -> Option<u32> {
        self.med
    }

    /// The communities, sorted.
    pub fn communities(&self) -> &[Community] {
        &self.communities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_with_host_bits_is_refused_and_the_network_named() {
        let error = Announcement::new([net("192.0.2.1/24")], None, []).unwrap_err();
        assert_eq!(
            error.to_string(),
            "prefix 192.0.2.1/24 has host bits; the network is 192.0.2.0/24"
        );
    }

    #[test]
    fn order_and_duplicates_make_no_difference() {
        let a = Announcement::new(
            [net("192.0.2.1/32"), net("2001:db8::1/128")],
            None,
            [Community::new(1, 2), Community::new(1, 1)],
        );
        let b = Announcement::new(
            [
                net("2001:db8::1/128"),
                net("192.0.2.1/32"),
                net("192.0.2.1/32"),
            ],
            None,
            [
                Community::new(1, 1),
                Community::new(1, 2),
                Community::new(1, 2),
            ],
        );
        assert_eq!(a.unwrap(), b.unwrap());
    }

    #[test]
    fn multicast_is_refused() {
        for text in ["224.0.0.0/8", "ff00::/8", "127.0.0.1/32"] {
            assert_eq!(
                Announcement::new([net(text)], None, []).unwrap_err(),
                AnnouncementError::NotUnicast(net(text))
            );
        }
    }

    #[test]
    fn more_than_the_bound_is_refused() {
        let many =
            (0..=MAX_PREFIXES as u32).map(|i| net(&format!("10.0.{}.{}/32", i >> 8, i & 255)));
        assert_eq!(
            Announcement::new(many, None, []).unwrap_err(),
            AnnouncementError::TooManyPrefixes
        );
        let many = (0..=MAX_COMMUNITIES as u16).map(|i| Community::new(1, i));
        assert_eq!(
            Announcement::new([], None, many).unwrap_err(),
            AnnouncementError::TooManyCommunities
        );
    }
}
