//! Wire types of addresses.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{filled, word};
use crate::domain::{Family, Invalid, Ip, IpQuery, IpType, prefix};

/// Body of allocate.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IpAllocateRequest {
    pub name: Option<String>,
    pub description: Option<String>,
    pub networkid: Option<String>,
    pub projectid: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub addressfamily: Option<String>,
    pub machineid: Option<String>,
    pub tags: Option<Vec<String>>,
}

/// Body of update; what is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IpUpdateRequest {
    pub ipaddress: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub tags: Option<Vec<String>>,
    pub changed: Option<DateTime<Utc>>,
}

/// Body of find.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IpFindRequest {
    ipaddress: Option<String>,
    addressfamily: Option<String>,
    allocationuuid: Option<String>,
    machineid: Option<String>,
    name: Option<String>,
    networkid: Option<String>,
    networkprefix: Option<String>,
    projectid: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// An address in an answer.
#[derive(Debug, Serialize)]
pub(super) struct IpResponse {
    ipaddress: String,
    allocationuuid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    networkid: String,
    projectid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    tags: Vec<String>,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

/// The address that a caller wrote.
pub(super) fn address(field: &str, text: &str) -> Result<IpAddr, Invalid> {
    text.parse()
        .map_err(|_| Invalid::new(field, format!("{text:?} is no IP address")))
}

/// The type that a caller wrote.
pub(super) fn kind(text: Option<String>) -> Result<Option<IpType>, Invalid> {
    filled(text)
        .map(|text| word("type", &text, IpType::parse, &IpType::WORDS))
        .transpose()
}

/// The family that a caller wrote.
pub(super) fn family(text: Option<String>) -> Result<Option<Family>, Invalid> {
    filled(text)
        .map(|text| Family::parse("addressfamily", &text))
        .transpose()
}

// === impl IpFindRequest ===

impl IpFindRequest {
    pub fn into_query(self) -> Result<IpQuery, Invalid> {
        let address = |text: String| address("ipaddress", &text);
        Ok(IpQuery {
            address: filled(self.ipaddress).map(address).transpose()?,
            family: family(self.addressfamily)?,
            allocation: filled(self.allocationuuid),
            machine: filled(self.machineid),
            name: filled(self.name),
            network: filled(self.networkid),
            prefix: filled(self.networkprefix)
                .map(|text| prefix("networkprefix", &text))
                .transpose()?,
            project: filled(self.projectid),
            tags: self.tags.unwrap_or_default(),
            kind: kind(self.kind)?,
        })
    }
}

// === impl IpResponse ===

impl From<Ip> for IpResponse {
    fn from(ip: Ip) -> Self {
        Self {
            ipaddress: ip.address.to_string(),
            allocationuuid: ip.allocation.to_string(),
            name: ip.name,
            description: ip.description,
            networkid: ip.network.into(),
            projectid: ip.project.into(),
            kind: ip.kind.as_str(),
            tags: ip.tags,
            created: ip.times.created,
            changed: ip.times.changed,
        }
    }
}
