//! Wire types of partitions.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::wire::{Texts, object, objects};
use crate::domain::{BootConfig, Invalid, Partition};

/// Body of create and update; what is left out of an update stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PartitionRequest {
    pub id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub mgmtserviceaddress: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub bootconfig: Option<BootConfigBody>,
    pub labels: Option<Texts>,
    #[serde(default, deserialize_with = "objects")]
    pub dns_servers: Option<Vec<DnsServer>>,
    #[serde(default, deserialize_with = "objects")]
    pub ntp_servers: Option<Vec<NtpServer>>,
    pub changed: Option<DateTime<Utc>>,
}

/// A partition in an answer.
#[derive(Debug, Serialize)]
pub(super) struct PartitionResponse {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    bootconfig: BootConfigBody,
    #[serde(skip_serializing_if = "String::is_empty")]
    mgmtserviceaddress: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dns_servers: Vec<DnsServer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ntp_servers: Vec<NtpServer>,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct BootConfigBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imageurl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernelurl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commandline: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct DnsServer {
    ip: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct NtpServer {
    address: Option<String>,
}

/// The addresses of DNS servers.
pub(super) fn dns_servers(servers: Vec<DnsServer>) -> Result<Vec<IpAddr>, Invalid> {
    let parse = |(i, server): (usize, DnsServer)| {
        let ip = server.ip.unwrap_or_default();
        ip.parse().map_err(|_| {
            let field = format!("dns_servers[{i}].ip");
            Invalid::new(field, format!("{ip:?} is no IP address"))
        })
    };
    servers.into_iter().enumerate().map(parse).collect()
}

/// The addresses or names of NTP servers.
pub(super) fn ntp_servers(servers: Vec<NtpServer>) -> Vec<String> {
    servers
        .into_iter()
        .map(|server| server.address.unwrap_or_default())
        .collect()
}

// === impl PartitionResponse ===

impl From<Partition> for PartitionResponse {
    fn from(partition: Partition) -> Self {
        Self {
            id: partition.id.into(),
            name: partition.name,
            description: partition.description,
            bootconfig: partition.boot.into(),
            mgmtserviceaddress: partition.mgmt_service_address,
            labels: partition.labels,
            dns_servers: partition
                .dns_servers
                .into_iter()
                .map(|ip| DnsServer {
                    ip: Some(ip.to_string()),
                })
                .collect(),
            ntp_servers: partition
                .ntp_servers
                .into_iter()
                .map(|address| NtpServer {
                    address: Some(address),
                })
                .collect(),
            created: partition.times.created,
            changed: partition.times.changed,
        }
    }
}

// === impl BootConfigBody ===

impl From<BootConfig> for BootConfigBody {
    fn from(boot: BootConfig) -> Self {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            imageurl: filled(boot.image_url),
            kernelurl: filled(boot.kernel_url),
            commandline: filled(boot.command_line),
        }
    }
}
