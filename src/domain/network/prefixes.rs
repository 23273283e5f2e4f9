//! The prefixes of a network.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::super::{Family, Invalid, bounds};

/// Most prefixes of a list.
const PREFIXES: usize = 64;
/// The shortest prefix of a network, by family: what is larger is a slip.
const SHORTEST: [u8; 2] = [8, 16];

/// Prefixes that do not overlap; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prefixes(Vec<IpNet>);

// === impl Prefixes ===

impl Prefixes {
    /// The prefixes that a caller wrote.
    ///
    /// # Errors
    /// None or too many of them, what is no prefix, has bits beyond its length, is too large, or
    /// overlaps another.
    pub fn parse(field: &str, texts: &[String]) -> Result<Self, Invalid> {
        if texts.is_empty() {
            return Err(Invalid::new(field, "no prefixes given"));
        }
        let prefixes = list(field, texts)?;
        for (i, prefix) in prefixes.iter().enumerate() {
            let shortest = SHORTEST[Family::from(*prefix) as usize];
            if prefix.prefix_len() < shortest {
                let reason = format!("{prefix} is too large, at the most a /{shortest} is allowed");
                return Err(Invalid::new(format!("{field}[{i}]"), reason));
            }
            if let Some(other) = prefixes[..i].iter().find(|other| overlap(prefix, other)) {
                let reason = format!("{prefix} overlaps {other}");
                return Err(Invalid::new(format!("{field}[{i}]"), reason));
            }
        }
        Ok(Self(prefixes))
    }

    /// Prefixes that are known not to overlap.
    pub fn of(prefixes: Vec<IpNet>) -> Self {
        Self(prefixes)
    }

    /// The one that holds an address.
    pub fn holding(&self, address: IpAddr) -> Option<IpNet> {
        self.iter().find(|prefix| prefix.contains(&address))
    }

    /// Those of a family, in their order.
    pub fn of_family(&self, family: Family) -> impl Iterator<Item = IpNet> {
        self.iter()
            .filter(move |prefix| Family::from(*prefix) == family)
    }

    /// Whether there is one of the family.
    pub fn has(&self, family: Family) -> bool {
        self.of_family(family).next().is_some()
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().copied()
    }
}

/// The prefix that a caller wrote.
///
/// # Errors
/// What is no prefix, or has bits beyond its length.
pub fn prefix(field: &str, text: &str) -> Result<IpNet, Invalid> {
    let Some(prefix) = plain(text) else {
        let reason = format!("{text:?} is no prefix, expected one such as 10.0.0.0/16");
        return Err(Invalid::new(field, reason));
    };
    if prefix.addr() != prefix.network() {
        let reason = format!(
            "{text:?} has bits beyond its length, the prefix is {}",
            prefix.trunc()
        );
        return Err(Invalid::new(field, reason));
    }
    Ok(prefix)
}

/// The prefix, if it is written as everybody reads it: zeros that lead are octal to some.
fn plain(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = length.parse().ok()?;
    let prefix = IpNet::new(address, bits).ok()?;
    (bits.to_string() == length).then_some(prefix)
}

/// Prefixes that may overlap.
///
/// # Errors
/// As [`prefix`]; too many of them.
pub(super) fn list(field: &str, texts: &[String]) -> Result<Vec<IpNet>, Invalid> {
    bounds::count(field, texts.len(), PREFIXES)?;
    let parse = |(i, text): (usize, &String)| prefix(&format!("{field}[{i}]"), text);
    texts.iter().enumerate().map(parse).collect()
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(texts: &[&str]) -> String {
        let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
        Prefixes::parse("prefixes", &texts).unwrap_err().to_string()
    }

    #[test]
    fn prefixes_are_aligned_bounded_and_apart() {
        assert_eq!(refused(&[]), "prefixes: no prefixes given");
        assert!(
            refused(&["10.0.0.0/16", "10.0.0.0"]).starts_with("prefixes[1]: \"10.0.0.0\" is no")
        );
        assert!(refused(&["10.0.0.1/16"]).ends_with("the prefix is 10.0.0.0/16"));
        for unclear in ["010.0.0.0/8", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8"] {
            assert!(refused(&[unclear]).contains("is no prefix"), "{unclear}");
        }
        assert!(refused(&["0.0.0.0/0"]).contains("too large"));
        assert!(refused(&["::/8"]).contains("too large"));
        let overlap = refused(&["10.0.0.0/8", "10.1.0.0/16"]);
        assert_eq!(overlap, "prefixes[1]: 10.1.0.0/16 overlaps 10.0.0.0/8");
        assert!(refused(&["10.0.0.0/8", "10.0.0.0/8"]).contains("overlaps"));
    }
}
