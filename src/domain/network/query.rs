//! Which networks to find.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::super::Family;
use super::Network;

/// Which networks to find: those that match all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkQuery {
    /// Of this id.
    pub id: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// Of this partition.
    pub partition: Option<String>,
    /// Of this project.
    pub project: Option<String>,
    /// Children of this network.
    pub parent: Option<String>,
    /// With a prefix of this family.
    pub family: Option<Family>,
    /// With all of these prefixes.
    pub prefixes: Vec<IpNet>,
    /// With all of these destinations.
    pub destinations: Vec<IpNet>,
    /// With all of these labels.
    pub labels: BTreeMap<String, String>,
    /// That masquerade, or do not.
    pub nat: Option<bool>,
    /// That are private super networks, or are not.
    pub private_super: Option<bool>,
    /// That are underlays, or are not.
    pub underlay: Option<bool>,
    /// Of this VRF.
    pub vrf: Option<i64>,
}

// === impl NetworkQuery ===

impl NetworkQuery {
    /// Whether the network matches all that is given.
    pub fn matches(&self, network: &Network) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        fn text(wanted: &Option<String>, value: Option<&str>) -> bool {
            wanted.is_none() || wanted.as_deref() == value
        }
        let labels = &network.labels;
        text(&self.id, Some(network.id.as_str()))
            && text(&self.name, Some(&network.name))
            && text(
                &self.partition,
                network.partition.as_ref().map(|id| id.as_str()),
            )
            && text(
                &self.project,
                network.project.as_ref().map(|id| id.as_str()),
            )
            && text(&self.parent, network.parent.as_ref().map(|id| id.as_str()))
            && self
                .family
                .is_none_or(|family| network.prefixes.has(family))
            && self
                .prefixes
                .iter()
                .all(|wanted| network.prefixes.iter().any(|prefix| prefix == *wanted))
            && self
                .destinations
                .iter()
                .all(|wanted| network.destinations.contains(wanted))
            && self
                .labels
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
            && is(self.nat, network.nat)
            && is(self.private_super, network.private_super)
            && is(self.underlay, network.underlay)
            && self
                .vrf
                .is_none_or(|wanted| network.vrf.map(i64::from) == Some(wanted))
    }
}
