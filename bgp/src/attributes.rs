//! Path attributes that an announcement may choose.

use serde::Serialize;

use crate::{AnnouncementError, Community, LargeCommunity};

/// The most communities of one kind that a prefix may have.
pub const MAX_COMMUNITIES: usize = 64;

/// The most times that the own AS number is put before itself.
pub const MAX_PREPEND: u8 = 16;

/// What internal peers must be told (RFC 4271 section 5.1.5) if nothing else is.
const DEFAULT_LOCAL_PREF: u32 = 100;

/// What a prefix is announced with, next to what every route needs. The default adds nothing.
///
/// Communities are sorted and without duplicates, so that two are equal exactly when a peer would
/// not see a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Attributes {
    med: Option<u32>,
    prepend: u8,
    local_pref: Option<u32>,
    communities: Vec<Community>,
    large_communities: Vec<LargeCommunity>,
}

// === impl Attributes ===

impl Attributes {
    /// With this MULTI_EXIT_DISC (RFC 4271 section 5.1.4; lower is more attractive), or none.
    #[must_use]
    pub fn with_med(mut self, med: impl Into<Option<u32>>) -> Self {
        self.med = med.into();
        self
    }

    /// With this LOCAL_PREF towards internal peers (RFC 4271 section 5.1.5; higher is more
    /// attractive). External peers never see it. Without it internal peers see 100.
    #[must_use]
    pub fn with_local_pref(mut self, local_pref: impl Into<Option<u32>>) -> Self {
        self.local_pref = local_pref.into();
        self
    }

    /// With the own AS number put so many times more at the front of the AS_PATH, so that other
    /// paths look shorter. Internal peers see an empty path as ever (RFC 4271 section 5.1.2).
    ///
    /// # Errors
    ///
    /// More than [`MAX_PREPEND`].
    pub fn with_prepend(mut self, prepend: u8) -> Result<Self, AnnouncementError> {
        if prepend > MAX_PREPEND {
            return Err(AnnouncementError::TooMuchPrepend(prepend));
        }
        self.prepend = prepend;
        Ok(self)
    }

    /// With these communities (RFC 1997) and no others, for example
    /// [`Community::GRACEFUL_SHUTDOWN`] alone.
    ///
    /// # Errors
    ///
    /// More than [`MAX_COMMUNITIES`].
    pub fn with_communities(
        mut self,
        communities: impl IntoIterator<Item = Community>,
    ) -> Result<Self, AnnouncementError> {
        self.communities = sorted(communities)?;
        Ok(self)
    }

    /// With these large communities (RFC 8092) and no others.
    ///
    /// # Errors
    ///
    /// More than [`MAX_COMMUNITIES`].
    pub fn with_large_communities(
        mut self,
        communities: impl IntoIterator<Item = LargeCommunity>,
    ) -> Result<Self, AnnouncementError> {
        self.large_communities = sorted(communities)?;
        Ok(self)
    }

    /// What of it an internal or an external peer gets to see: two that look the same to a peer
    /// are the same.
    pub(crate) fn seen_by(&self, internal: bool) -> Self {
        let mut seen = self.clone();
        match internal {
            true => {
                seen.prepend = 0;
                seen.local_pref.get_or_insert(DEFAULT_LOCAL_PREF);
            }
            false => seen.local_pref = None,
        }
        seen
    }

    /// The MULTI_EXIT_DISC, if one is sent.
    pub fn med(&self) -> Option<u32> {
        self.med
    }

    /// How often the own AS number stands in the AS_PATH more than it must.
    pub fn prepend(&self) -> u8 {
        self.prepend
    }

    /// The LOCAL_PREF for internal peers, if it is not left at 100.
    pub fn local_pref(&self) -> Option<u32> {
        self.local_pref
    }

    /// The communities, sorted.
    pub fn communities(&self) -> &[Community] {
        &self.communities
    }

    /// The large communities, sorted.
    pub fn large_communities(&self) -> &[LargeCommunity] {
        &self.large_communities
    }
}

fn sorted<C: Ord>(communities: impl IntoIterator<Item = C>) -> Result<Vec<C>, AnnouncementError> {
    let mut communities: Vec<_> = communities.into_iter().take(MAX_COMMUNITIES + 1).collect();
    if communities.len() > MAX_COMMUNITIES {
        return Err(AnnouncementError::TooManyCommunities);
    }
    communities.sort_unstable();
    communities.dedup();
    Ok(communities)
}
