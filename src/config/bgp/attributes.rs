//! What prefixes are announced with, healthy and degraded.

use std::collections::BTreeMap;

use ipnet::IpNet;
use metal_bgp::{
    AnnouncementError, Attributes, Community, CommunityError, LargeCommunity, LargeCommunityError,
    MAX_COMMUNITIES, MAX_PREPEND,
};

use crate::config::Problem;
use crate::config::keys::ANNOUNCED;
use crate::config::layer::Table;
use crate::config::reader::Reader;
use crate::config::value::FromText;

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

/// What was said of healthy and of degraded nodes.
pub(super) struct Rules {
    healthy: Overlay,
    degraded: Overlay,
}

/// Attributes that were given; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Overlay {
    med: Option<u32>,
    prepend: Option<u8>,
    local_pref: Option<u32>,
    communities: Option<Vec<Community>>,
    large_communities: Option<Vec<LargeCommunity>>,
}

// === impl Rules ===

impl Rules {
    /// Those of `[bgp]`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self::read_at(reader, "bgp.")
    }

    fn read_at(reader: &mut Reader<'_>, section: &str) -> Self {
        Self {
            healthy: Overlay::read(reader, section),
            degraded: Overlay::read(reader, &format!("{section}degraded-")),
        }
    }

    /// What is not said of a degraded node is as while it is healthy; if nothing is said, it is
    /// announced with GRACEFUL_SHUTDOWN (RFC 8326), as is one that leaves.
    pub(super) fn levels(&self) -> Levels {
        let plain = Self {
            healthy: Overlay::default(),
            degraded: Overlay::default(),
        };
        self.levels_of(&plain)
    }

    /// The same for a prefix of which `own` says something else.
    fn levels_of(&self, own: &Self) -> Levels {
        let healthy = own.healthy.over(self.healthy.over(Attributes::default()));
        let all = healthy.communities().iter().copied();
        // One more than the configuration may have has room in a list that is not full; a full
        // one is refused when it is read.
        let leaving = healthy
            .clone()
            .with_communities(all.chain([Community::GRACEFUL_SHUTDOWN]))
            .expect("the bound was checked with one to spare");
        let silent = self.degraded == Overlay::default() && own.degraded == Overlay::default();
        let degraded = match silent {
            true => leaving.clone(),
            false => own.degraded.over(self.degraded.over(healthy.clone())),
        };
        Levels {
            healthy,
            degraded,
            leaving,
        }
    }
}

// === impl Overlay ===

impl Overlay {
    fn read(reader: &mut Reader<'_>, before: &str) -> Self {
        let key = |name: &str| format!("{before}{name}");
        let prepend: Option<u16> = reader.optional(&key("prepend"));
        let mut overlay = Self {
            med: reader.optional(&key("med")),
            prepend: prepend.map(|times| u8::try_from(times).unwrap_or(u8::MAX)),
            local_pref: reader.optional(&key("local-pref")),
            communities: reader.optional(&key("communities")),
            large_communities: reader.optional(&key("large-communities")),
        };
        if let Some(times) = overlay.prepend.filter(|times| *times > MAX_PREPEND) {
            let what = AnnouncementError::TooMuchPrepend(times);
            reader.problem(&key("prepend"), what.to_string());
            overlay.prepend = None;
        }
        // GRACEFUL_SHUTDOWN must have room.
        let bound = MAX_COMMUNITIES - 1;
        let too_many = format!("more than {bound} communities");
        if overlay
            .communities
            .as_ref()
            .is_some_and(|some| some.len() > bound)
        {
            reader.problem(&key("communities"), too_many.clone());
            overlay.communities = None;
        }
        if overlay
            .large_communities
            .as_ref()
            .is_some_and(|some| some.len() > bound)
        {
            reader.problem(&key("large-communities"), too_many);
            overlay.large_communities = None;
        }
        overlay
    }

    fn over(&self, attributes: Attributes) -> Attributes {
        let checked = "the bounds were checked when it was read";
        let mut new = attributes;
        if let Some(med) = self.med {
            new = new.with_med(med);
        }
        if let Some(preference) = self.local_pref {
            new = new.with_local_pref(preference);
        }
        if let Some(times) = self.prepend {
            new = new.with_prepend(times).expect(checked);
        }
        if let Some(some) = &self.communities {
            new = new.with_communities(some.iter().copied()).expect(checked);
        }
        if let Some(some) = &self.large_communities {
            new = new
                .with_large_communities(some.iter().copied())
                .expect(checked);
        }
        new
    }
}

/// `[[bgp.prefix]]`: what is said of single prefixes.
pub(super) fn exceptions_of(
    reader: &mut Reader<'_>,
    rules: &Rules,
    announced: &[IpNet],
    tables: &[Table],
) -> BTreeMap<IpNet, Levels> {
    let mut exceptions = BTreeMap::new();
    for (index, table) in tables.iter().enumerate() {
        let name = format!("{ANNOUNCED}[{index}].");
        let read = reader.nested(name.clone(), &BTreeMap::new(), &table.values, |reader| {
            let prefix: Option<IpNet> = reader.optional("prefix");
            (prefix, Rules::read_at(reader, ""))
        });
        let at = table.values.get("prefix").map(|node| node.origin.clone());
        let at = at.unwrap_or_else(|| table.origin.clone());
        let problem = |what: String| Problem::new(Some(at.clone()), &format!("{name}prefix"), what);
        let (Some(prefix), own) = read else {
            if !table.values.contains_key("prefix") {
                reader.problems.push(problem("is missing".to_owned()));
            }
            continue;
        };
        if !announced.contains(&prefix) {
            let what = format!("{prefix} is not in bgp.announce");
            reader.problems.push(problem(what));
        }
        if exceptions.insert(prefix, rules.levels_of(&own)).is_some() {
            let what = format!("{prefix} has a [[{ANNOUNCED}]] already");
            reader.problems.push(problem(what));
        }
    }
    exceptions
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
