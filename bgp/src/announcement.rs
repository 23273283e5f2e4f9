//! What is announced.

use std::sync::Arc;

use ipnet::IpNet;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::{AnnouncementError, Attributes};

/// The most prefixes that one announcement may have.
pub const MAX_PREFIXES: usize = 1024;

/// What the speaker tells every peer: prefixes, each with its attributes.
///
/// Sorted and without duplicates, so that two announcements are equal exactly when the peers
/// would not see a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    prefixes: Vec<IpNet>,
    /// One for each prefix, in the same order.
    attributes: Vec<Arc<Attributes>>,
}

/// One prefix of an announcement, as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    prefix: IpNet,
    #[serde(flatten)]
    attributes: &'a Attributes,
}

// === impl Announcement ===

impl Announcement {
    /// An announcement of `prefixes` that share their attributes.
    ///
    /// # Errors
    ///
    /// A prefix with host bits, a multicast or loopback one, or more than [`MAX_PREFIXES`]. No
    /// prefix at all is allowed and announces nothing.
    pub fn new(
        prefixes: impl IntoIterator<Item = IpNet>,
        attributes: Attributes,
    ) -> Result<Self, AnnouncementError> {
        let attributes = Arc::new(attributes);
        Self::collect(prefixes.into_iter().map(|p| (p, Arc::clone(&attributes))))
    }

    /// An announcement of prefixes with attributes of their own.
    ///
    /// # Errors
    ///
    /// As [`Announcement::new`], and one prefix twice with different attributes.
    pub fn per_prefix(
        routes: impl IntoIterator<Item = (IpNet, Attributes)>,
    ) -> Result<Self, AnnouncementError> {
        Self::collect(routes.into_iter().map(|(p, a)| (p, Arc::new(a))))
    }

    fn collect(
        routes: impl Iterator<Item = (IpNet, Arc<Attributes>)>,
    ) -> Result<Self, AnnouncementError> {
        let mut routes: Vec<_> = routes.take(MAX_PREFIXES + 1).collect();
        if routes.len() > MAX_PREFIXES {
            return Err(AnnouncementError::TooManyPrefixes);
        }
        for (prefix, _) in &routes {
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
        routes.sort_unstable();
        routes.dedup();
        if let Some(pair) = routes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(AnnouncementError::Contradiction(pair[0].0));
        }
        let (prefixes, attributes) = routes.into_iter().unzip();
        Ok(Self {
            prefixes,
            attributes,
        })
    }

    /// The same prefixes, each with what `change` makes of its attributes; for example
    /// [`GRACEFUL_SHUTDOWN`](crate::Community::GRACEFUL_SHUTDOWN) added to each.
    ///
    /// # Errors
    ///
    /// Those of `change`.
    pub fn map(
        &self,
        change: impl Fn(&Attributes) -> Result<Attributes, AnnouncementError>,
    ) -> Result<Self, AnnouncementError> {
        let attributes = self.attributes.iter().map(|a| change(a).map(Arc::new));
        Ok(Self {
            prefixes: self.prefixes.clone(),
            attributes: attributes.collect::<Result<_, _>>()?,
        })
    }

    /// The prefixes, sorted.
    pub fn prefixes(&self) -> &[IpNet] {
        &self.prefixes
    }

    /// Every prefix with its attributes, sorted by prefix.
    pub fn routes(&self) -> impl Iterator<Item = (IpNet, &Attributes)> {
        self.shared_routes().map(|(p, a)| (p, &**a))
    }

    pub(crate) fn shared_routes(&self) -> impl Iterator<Item = (IpNet, &Arc<Attributes>)> {
        self.prefixes.iter().copied().zip(&self.attributes)
    }
}

/// A list of prefixes with their attributes.
impl Serialize for Announcement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.prefixes.len()))?;
        for (prefix, attributes) in self.routes() {
            list.serialize_element(&Shown { prefix, attributes })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests;
