//! What a network must be.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::super::{Family, Invalid, bounds};
use super::{ChildLengths, Network, prefixes};

/// Longest prefix that has an address to hand out beside those of the network and its broadcast.
const LONGEST: [u8; 2] = [30, 127];

// === impl Network ===

impl Network {
    /// Refuses what contradicts itself, and texts and lists beyond their bounds.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        bounds::labels("labels", &self.labels)?;
        if self.private_super && self.underlay {
            return Err(Invalid::new(
                "underlay",
                "a network is a private super network or an underlay, not both",
            ));
        }
        if self.nat && (self.private_super || self.underlay) {
            return Err(Invalid::new(
                "nat",
                "private super or underlay network is not supposed to NAT",
            ));
        }
        if !self.announcable.is_empty() && !self.private_super {
            return Err(Invalid::new(
                "additionalAnnouncableCIDRs",
                "can only be set in a private super network",
            ));
        }
        for destination in &self.destinations {
            let family = Family::from(*destination);
            if !self.prefixes.has(family) {
                return Err(Invalid::new(
                    "destinationprefixes",
                    format!("{destination} is {family}, and the network has no {family} prefix"),
                ));
            }
        }
        match self.private_super {
            true => self.check_child_lengths(),
            false => self.check_size(),
        }
    }

    fn check_child_lengths(&self) -> Result<(), Invalid> {
        let refuse = |reason| Err(Invalid::new("defaultchildprefixlength", reason));
        for prefix in self.prefixes.iter() {
            let family = Family::from(prefix);
            let Some(&length) = self.child_lengths.get(&family) else {
                return refuse(format!(
                    "private super network must always contain a defaultchildprefixlength, \
                     and there is none for {family}"
                ));
            };
            if length <= prefix.prefix_len() {
                return refuse(format!(
                    "given defaultchildprefixlength {length} is not greater than prefix length of {prefix}"
                ));
            }
        }
        for (&family, &length) in &self.child_lengths {
            if !self.prefixes.has(family) {
                return refuse(format!("the network has no {family} prefix"));
            }
            check_length("defaultchildprefixlength", family, length)?;
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), Invalid> {
        if !self.child_lengths.is_empty() {
            return Err(Invalid::new(
                "defaultchildprefixlength",
                "can only be set in a private super network",
            ));
        }
        for prefix in self.prefixes.iter() {
            let longest = LONGEST[Family::from(prefix) as usize];
            if prefix.prefix_len() > longest {
                return Err(Invalid::new(
                    "prefixes",
                    format!("{prefix} is too small, at the least a /{longest} is needed"),
                ));
            }
        }
        Ok(())
    }
}

/// Whether children can have this length.
pub(super) fn check_length(field: &str, family: Family, length: u8) -> Result<(), Invalid> {
    let longest = LONGEST[family as usize];
    match (1..=longest).contains(&length) {
        true => Ok(()),
        false => Err(Invalid::new(
            field,
            format!(
                "an {family} prefix of length {length} has no addresses to hand out, 1 to {longest} is allowed"
            ),
        )),
    }
}

impl Network {
    /// Lengths of children's prefixes that a caller wrote, by the word of the family.
    ///
    /// # Errors
    /// Words that are no family, and lengths that no child can have.
    pub fn child_lengths(
        field: &str,
        lengths: &BTreeMap<String, i64>,
    ) -> Result<ChildLengths, Invalid> {
        let parse = |(word, &length): (&String, &i64)| {
            let family = Family::parse(field, word)?;
            let length = u8::try_from(length).unwrap_or(u8::MAX);
            check_length(field, family, length)?;
            Ok((family, length))
        };
        lengths.iter().map(parse).collect()
    }

    /// Prefixes that a caller wrote and that are not addresses of the network.
    ///
    /// # Errors
    /// As [`prefix`](super::prefix); too many of them.
    pub fn other_prefixes(field: &str, texts: &[String]) -> Result<Vec<IpNet>, Invalid> {
        prefixes::list(field, texts)
    }
}
