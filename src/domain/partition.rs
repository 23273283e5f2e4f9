//! Partitions.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Invalid, PartitionId, Timestamps, bounds};

/// Most DNS servers of a partition.
const DNS_SERVERS: usize = 3;
/// Most NTP servers of a partition.
const NTP_SERVERS: usize = 5;

/// One data centre or plant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Id.
    pub id: PartitionId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What and where it is.
    pub description: String,
    /// Address of its management service; empty if unknown.
    pub mgmt_service_address: String,
    /// What its machines boot.
    pub boot: BootConfig,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// What its machines ask for names.
    pub dns_servers: Vec<IpAddr>,
    /// What its machines ask for the time: addresses or DNS names.
    pub ntp_servers: Vec<String>,
}

/// What machines boot to be discovered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootConfig {
    /// URL of the initial RAM disk.
    pub image_url: String,
    /// URL of the kernel.
    pub kernel_url: String,
    /// Command line of the kernel.
    pub command_line: String,
}

// === impl Partition ===

impl Partition {
    /// Refuses texts and lists beyond their bounds, and servers that are none.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        let address = &self.mgmt_service_address;
        bounds::line("mgmtserviceaddress", address, bounds::TEXT)?;
        bounds::line("bootconfig.imageurl", &self.boot.image_url, bounds::TEXT)?;
        bounds::line("bootconfig.kernelurl", &self.boot.kernel_url, bounds::TEXT)?;
        let command_line = &self.boot.command_line;
        bounds::line("bootconfig.commandline", command_line, bounds::TEXT)?;
        bounds::labels("labels", &self.labels)?;
        bounds::count("dns_servers", self.dns_servers.len(), DNS_SERVERS)?;
        bounds::count("ntp_servers", self.ntp_servers.len(), NTP_SERVERS)?;
        for (i, server) in self.ntp_servers.iter().enumerate() {
            if server.parse::<IpAddr>().is_err() && !is_dns_name(server) {
                return Err(Invalid::new(
                    format!("ntp_servers[{i}].address"),
                    format!("{server:?} is neither an IP address nor a DNS name"),
                ));
            }
        }
        Ok(())
    }
}

/// RFC 1123, section 2.1: labels of letters, digits and inner hyphens.
fn is_dns_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_name_has_labels_of_letters_digits_and_inner_hyphens() {
        for good in ["ntp", "0.pool.ntp.example", "a-b.c", "ntp.example."] {
            assert!(is_dns_name(good), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a-", "a b", "a_b", &"x".repeat(64)] {
            assert!(!is_dns_name(bad), "{bad}");
        }
    }
}
