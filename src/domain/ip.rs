//! Addresses that are handed out.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Family, Invalid, NetworkId, ProjectId, Timestamps, bounds};

/// Key of the tag that binds an address to a machine.
pub const MACHINE_TAG: &str = "machine.metal-stack.io/id";

/// An address of a network that belongs to a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ip {
    /// The address in its shortest form: one allocation of it at a time.
    pub id: String,
    /// The address.
    pub address: IpAddr,
    /// When it was handed out and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The prefix of the network that it is of.
    pub prefix: IpNet,
    /// The network.
    pub network: NetworkId,
    /// Whom it belongs to.
    pub project: ProjectId,
    /// Whether it outlives what it was taken for.
    #[serde(rename = "type")]
    pub kind: IpType,
    /// Free tags; those of machines among them.
    pub tags: Vec<String>,
    /// Tells this allocation from earlier ones of the same address.
    pub allocation: uuid::Uuid,
}

/// Whether an address outlives what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpType {
    /// Freed with what uses it.
    Ephemeral,
    /// Stays until somebody frees it.
    Static,
}

/// Which addresses to find: those that match all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpQuery {
    /// This one.
    pub address: Option<IpAddr>,
    /// Of this family.
    pub family: Option<Family>,
    /// This allocation.
    pub allocation: Option<String>,
    /// Of this machine.
    pub machine: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// Of this network.
    pub network: Option<String>,
    /// Of this prefix.
    pub prefix: Option<IpNet>,
    /// Of this project.
    pub project: Option<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Of this type.
    pub kind: Option<IpType>,
}

// === impl Ip ===

impl Ip {
    /// Refuses texts and lists beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        bounds::tags("tags", &self.tags)
    }

    /// The machines that use it.
    pub fn machines(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().filter_map(|tag| machine(tag))
    }

    /// Changes the type. An address that was made to stay stays.
    ///
    /// # Errors
    /// From static to ephemeral.
    pub fn change_type(&mut self, kind: IpType) -> Result<(), Invalid> {
        if self.kind == IpType::Static && kind == IpType::Ephemeral {
            return Err(Invalid::new(
                "type",
                "cannot change type of ip address from static to ephemeral",
            ));
        }
        self.kind = kind;
        Ok(())
    }
}

/// The machine that a tag names.
fn machine(tag: &str) -> Option<&str> {
    let (key, id) = tag.split_once('=')?;
    (key == MACHINE_TAG && !id.is_empty()).then_some(id)
}

// === impl IpType ===

impl IpType {
    /// metal-api's words.
    pub const WORDS: [&str; 2] = ["ephemeral", "static"];

    /// The type of this word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ephemeral" => Some(Self::Ephemeral),
            "static" => Some(Self::Static),
            _ => None,
        }
    }

    /// metal-api's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ephemeral => "ephemeral",
            Self::Static => "static",
        }
    }
}

// === impl IpQuery ===

impl IpQuery {
    /// Whether the address matches all that is given.
    pub fn matches(&self, ip: &Ip) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        let machine = self.machine.as_deref();
        is(self.address, ip.address)
            && is(self.family, Family::from(ip.address))
            && is(self.allocation.clone(), ip.allocation.to_string())
            && machine.is_none_or(|machine| ip.machines().any(|id| id == machine))
            && is(self.name.as_ref(), &ip.name)
            && is(self.network.as_deref(), ip.network.as_str())
            && is(self.prefix, ip.prefix)
            && is(self.project.as_deref(), ip.project.as_str())
            && self.tags.iter().all(|tag| ip.tags.contains(tag))
            && is(self.kind, ip.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filled_tag_of_the_key_is_a_machine() {
        assert_eq!(machine("machine.metal-stack.io/id=m1"), Some("m1"));
        for tag in [
            "machine.metal-stack.io/id",
            "machine.metal-stack.io/id=",
            "machine.metal-stack.io/ids=m1",
            "id=m1",
        ] {
            assert_eq!(machine(tag), None, "{tag}");
        }
    }
}
