//! What prefixes are announced with, healthy and degraded.

use metal_bgp::{
    AnnouncementError, Attributes, Community, CommunityError, LargeCommunity, LargeCommunityError,
};

use crate::config::reader::Reader;
use crate::config::value::FromText;

/// The keys of one level, and the attributes that they say something of.
struct Keys {
    med: &'static str,
    prepend: &'static str,
    local_pref: &'static str,
    communities: &'static str,
    large_communities: &'static str,
}

const HEALTHY: Keys = Keys {
    med: "bgp.med",
    prepend: "bgp.prepend",
    local_pref: "bgp.local-pref",
    communities: "bgp.communities",
    large_communities: "bgp.large-communities",
};
const DEGRADED: Keys = Keys {
    med: "bgp.degraded-med",
    prepend: "bgp.degraded-prepend",
    local_pref: "bgp.degraded-local-pref",
    communities: "bgp.degraded-communities",
    large_communities: "bgp.degraded-large-communities",
};

/// What the prefixes are announced with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// While the node is healthy.
    pub healthy: Attributes,
    /// While it is degraded.
    pub degraded: Attributes,
    /// While it leaves.
    pub leaving: Attributes,
}

// === impl Levels ===

impl Levels {
    /// What is not said of a degraded node is as while it is healthy; if nothing is said, it is
    /// announced with GRACEFUL_SHUTDOWN (RFC 8326), as is one that leaves.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let healthy = HEALTHY.read(reader, &Attributes::default());
        let leaving = with_graceful_shutdown(reader, HEALTHY.communities, &healthy);
        let degraded = match DEGRADED.is_set(reader) {
            true => DEGRADED.read(reader, &healthy),
            false => leaving.clone(),
        };
        Self {
            healthy,
            degraded,
            leaving,
        }
    }
}

// === impl Keys ===

impl Keys {
    fn is_set(&self, reader: &Reader<'_>) -> bool {
        [
            self.med,
            self.prepend,
            self.local_pref,
            self.communities,
            self.large_communities,
        ]
        .iter()
        .any(|key| reader.node(key).is_some())
    }

    fn read(&self, reader: &mut Reader<'_>, otherwise: &Attributes) -> Attributes {
        let mut attributes = otherwise.clone();
        if let Some(med) = reader.optional::<u32>(self.med) {
            attributes = attributes.with_med(med);
        }
        if let Some(preference) = reader.optional::<u32>(self.local_pref) {
            attributes = attributes.with_local_pref(preference);
        }
        if let Some(times) = reader.optional::<u16>(self.prepend) {
            let times = u8::try_from(times).unwrap_or(u8::MAX);
            attributes = or(reader, self.prepend, attributes, |it| {
                it.with_prepend(times)
            });
        }
        if let Some(communities) = reader.optional::<Vec<Community>>(self.communities) {
            attributes = or(reader, self.communities, attributes, |it| {
                it.with_communities(communities)
            });
        }
        if let Some(communities) = reader.optional::<Vec<LargeCommunity>>(self.large_communities) {
            attributes = or(reader, self.large_communities, attributes, |it| {
                it.with_large_communities(communities)
            });
        }
        attributes
    }
}

fn with_graceful_shutdown(reader: &mut Reader<'_>, key: &str, of: &Attributes) -> Attributes {
    let all = of.communities().iter().copied();
    let all = all.chain([Community::GRACEFUL_SHUTDOWN]);
    or(reader, key, of.clone(), |it| it.with_communities(all))
}

/// What `change` makes of `attributes`, or these and a problem at `key`.
fn or(
    reader: &mut Reader<'_>,
    key: &str,
    attributes: Attributes,
    change: impl FnOnce(Attributes) -> Result<Attributes, AnnouncementError>,
) -> Attributes {
    change(attributes.clone()).unwrap_or_else(|error| {
        reader.problem(key, error.to_string());
        attributes
    })
}

impl FromText for Community {
    const EXPECTED: &'static str = "a community, like \"65535:0\"";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: CommunityError| error.to_string())
    }
}

impl FromText for LargeCommunity {
    const EXPECTED: &'static str = "a large community, like \"4200000001:1:2\"";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: LargeCommunityError| error.to_string())
    }
}
