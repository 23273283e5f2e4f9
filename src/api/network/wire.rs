//! Wire types of networks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{Texts, filled, texts};
use crate::domain::{ChildLengths, Family, Invalid, Network, NetworkQuery, prefix};
use crate::ipam::Usage;

/// Body of create.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NetworkCreateRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub labels: Option<Texts>,
    pub partitionid: Option<String>,
    pub projectid: Option<String>,
    pub parentnetworkid: Option<String>,
    pub prefixes: Option<Vec<String>>,
    pub destinationprefixes: Option<Vec<String>>,
    #[serde(rename = "additionalAnnouncableCIDRs")]
    pub additional_announcable_cidrs: Option<Vec<String>>,
    pub defaultchildprefixlength: Option<BTreeMap<String, i64>>,
    pub privatesuper: Option<bool>,
    pub underlay: Option<bool>,
    pub nat: Option<bool>,
    pub nattype: Option<String>,
    pub networktype: Option<String>,
    pub shared: Option<bool>,
    pub vrf: Option<i64>,
    pub vrfshared: Option<bool>,
}

/// Body of allocate.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NetworkAllocateRequest {
    pub name: Option<String>,
    pub description: Option<String>,
    pub labels: Option<Texts>,
    pub partitionid: Option<String>,
    pub projectid: Option<String>,
    pub addressfamily: Option<String>,
    pub length: Option<BTreeMap<String, i64>>,
    pub destinationprefixes: Option<Vec<String>>,
    pub nat: Option<bool>,
    pub shared: Option<bool>,
}

/// Body of update; what is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NetworkUpdateRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub labels: Option<Texts>,
    pub prefixes: Option<Vec<String>>,
    pub destinationprefixes: Option<Vec<String>>,
    #[serde(rename = "additionalAnnouncableCIDRs")]
    pub additional_announcable_cidrs: Option<Vec<String>>,
    pub defaultchildprefixlength: Option<BTreeMap<String, i64>>,
    pub shared: Option<bool>,
    pub changed: Option<DateTime<Utc>>,
}

/// Query of update.
#[derive(Debug, Default, Deserialize)]
pub(super) struct UpdateQuery {
    pub force: Option<bool>,
}

/// Body of find.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NetworkFindRequest {
    id: Option<String>,
    name: Option<String>,
    partitionid: Option<String>,
    projectid: Option<String>,
    parentnetworkid: Option<String>,
    addressfamily: Option<String>,
    prefixes: Option<Vec<String>>,
    destinationprefixes: Option<Vec<String>>,
    labels: Option<Texts>,
    nat: Option<bool>,
    privatesuper: Option<bool>,
    underlay: Option<bool>,
    vrf: Option<i64>,
}

/// A network in an answer.
#[derive(Debug, Serialize)]
pub(super) struct NetworkResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitionid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projectid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parentnetworkid: Option<String>,
    prefixes: Vec<String>,
    destinationprefixes: Vec<String>,
    #[serde(rename = "additionalAnnouncableCIDRs")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    additional_announcable_cidrs: Vec<String>,
    #[serde(skip_serializing_if = "ChildLengths::is_empty")]
    defaultchildprefixlength: ChildLengths,
    privatesuper: bool,
    underlay: bool,
    nat: bool,
    nattype: &'static str,
    networktype: &'static str,
    shared: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    vrf: Option<u32>,
    vrfshared: bool,
    /// Of IPv4.
    usage: NetworkUsage,
    consumption: NetworkConsumption,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

#[derive(Debug, Default, Serialize)]
struct NetworkConsumption {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<NetworkUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<NetworkUsage>,
}

/// Figures as signed 64-bit numbers, which is what clients read them into.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct NetworkUsage {
    available_ips: i64,
    used_ips: i64,
    available_prefixes: i64,
    used_prefixes: i64,
}

// === impl NetworkFindRequest ===

impl NetworkFindRequest {
    pub fn into_query(self) -> Result<NetworkQuery, Invalid> {
        let prefixes = |field: &str, texts: Option<Vec<String>>| {
            let parse = |text: &String| prefix(field, text);
            let texts = texts.unwrap_or_default();
            texts.iter().map(parse).collect::<Result<Vec<_>, _>>()
        };
        let family = filled(self.addressfamily)
            .map(|word| Family::parse("addressfamily", &word))
            .transpose()?;
        Ok(NetworkQuery {
            id: filled(self.id),
            name: filled(self.name),
            partition: filled(self.partitionid),
            project: filled(self.projectid),
            parent: filled(self.parentnetworkid),
            family,
            prefixes: prefixes("prefixes", self.prefixes)?,
            destinations: prefixes("destinationprefixes", self.destinationprefixes)?,
            labels: texts(self.labels),
            nat: self.nat,
            private_super: self.privatesuper,
            underlay: self.underlay,
            vrf: self.vrf,
        })
    }
}

// === impl NetworkResponse ===

impl NetworkResponse {
    /// The network with its figures, by family.
    pub fn new(network: Network, usage: &BTreeMap<Family, Usage>) -> Self {
        let list = |prefixes: &[ipnet::IpNet]| prefixes.iter().map(|p| p.to_string()).collect();
        let consumption = NetworkConsumption {
            ipv4: usage.get(&Family::V4).map(NetworkUsage::from),
            ipv6: usage.get(&Family::V6).map(NetworkUsage::from),
        };
        Self {
            networktype: network.network_type(),
            nattype: network.nat_type(),
            prefixes: network.prefixes.iter().map(|p| p.to_string()).collect(),
            destinationprefixes: list(&network.destinations),
            additional_announcable_cidrs: list(&network.announcable),
            id: network.id.into(),
            name: network.name,
            description: network.description,
            labels: network.labels,
            partitionid: network.partition.map(Into::into),
            projectid: network.project.map(Into::into),
            parentnetworkid: network.parent.map(Into::into),
            defaultchildprefixlength: network.child_lengths,
            privatesuper: network.private_super,
            underlay: network.underlay,
            nat: network.nat,
            shared: network.shared,
            vrf: network.vrf,
            vrfshared: network.vrf_shared,
            usage: consumption.ipv4.unwrap_or_default(),
            consumption,
            created: network.times.created,
            changed: network.times.changed,
        }
    }
}

// === impl NetworkUsage ===

impl From<&Usage> for NetworkUsage {
    fn from(usage: &Usage) -> Self {
        let bounded = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            available_ips: bounded(usage.available_ips),
            used_ips: bounded(usage.used_ips),
            available_prefixes: bounded(usage.available_prefixes),
            used_prefixes: bounded(usage.used_prefixes),
        }
    }
}
