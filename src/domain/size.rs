//! Sizes: classes of machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Invalid, SizeId, Timestamps, bounds, glob};

/// Most constraints of a size.
const CONSTRAINTS: usize = 32;

/// A class of machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Id.
    pub id: SizeId,
    /// When it was made and changed.
    #[serde(flatten)]
    pub times: Timestamps,
    /// Display name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What a machine must have to be of this size: all of it.
    pub constraints: Vec<Constraint>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
}

/// How much of one kind of hardware a machine must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// Kind of hardware.
    pub kind: ConstraintType,
    /// At least: a count, or bytes.
    pub min: u64,
    /// At most: a count, or bytes.
    pub max: u64,
    /// Glob pattern of the hardware that counts; empty for all.
    pub identifier: String,
}

/// Kind of hardware that a [`Constraint`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConstraintType {
    /// CPU cores, counted.
    Cores,
    /// Memory, bytes.
    Memory,
    /// Block devices, bytes.
    Storage,
    /// GPUs, counted.
    Gpu,
}

// === impl Size ===

impl Size {
    /// Refuses texts, lists and constraints that break a rule.
    pub fn check(&self) -> Result<(), Invalid> {
        bounds::line("name", &self.name, bounds::NAME)?;
        bounds::paragraph("description", &self.description, bounds::DESCRIPTION)?;
        bounds::labels("labels", &self.labels)?;
        bounds::count("constraints", self.constraints.len(), CONSTRAINTS)?;
        for (i, constraint) in self.constraints.iter().enumerate() {
            constraint.check(&format!("constraints[{i}]"))?;
            let twice = self.constraints[..i].iter().any(|other| {
                other.kind == constraint.kind && other.identifier == constraint.identifier
            });
            if twice {
                return Err(Invalid::new(
                    format!("constraints[{i}]"),
                    format!("a second constraint on the same {}", constraint.kind.word()),
                ));
            }
        }
        Ok(())
    }

    /// Whether a machine could be of both sizes: they constrain the same kinds of hardware, and
    /// every constraint of the one leaves room for one of the other. A size without constraints
    /// overlaps no other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let covered = |a: &Self, b: &Self| {
            a.constraints
                .iter()
                .all(|x| b.constraints.iter().any(|y| x.overlaps(y)))
        };
        !self.constraints.is_empty()
            && !other.constraints.is_empty()
            && covered(self, other)
            && covered(other, self)
    }
}

// === impl Constraint ===

impl Constraint {
    fn check(&self, field: &str) -> Result<(), Invalid> {
        if self.min > self.max {
            return Err(Invalid::new(
                field,
                format!("min {} is greater than max {}", self.min, self.max),
            ));
        }
        bounds::number(&format!("{field}.max"), self.max)?;
        let identifier = format!("{field}.identifier");
        bounds::line(&identifier, &self.identifier, bounds::NAME)?;
        match (self.kind, self.identifier.is_empty()) {
            (ConstraintType::Gpu, true) => Err(Invalid::new(
                identifier,
                "a gpu constraint needs an identifier",
            )),
            (ConstraintType::Cores | ConstraintType::Memory, false) => Err(Invalid::new(
                identifier,
                format!("a {} constraint has no identifier", self.kind.word()),
            )),
            _ => Ok(()),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let pattern = |constraint: &Self| match constraint.identifier.as_str() {
            "" => "*".to_owned(),
            pattern => pattern.to_owned(),
        };
        self.kind == other.kind
            && self.min <= other.max
            && other.min <= self.max
            && glob::intersect(&pattern(self), &pattern(other))
    }
}

// === impl ConstraintType ===

impl ConstraintType {
    /// The kind by its name in the API.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Cores, Self::Memory, Self::Storage, Self::Gpu]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// Its name in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Memory => "memory",
            Self::Storage => "storage",
            Self::Gpu => "gpu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn size(constraints: &[(ConstraintType, u64, u64, &str)]) -> Size {
        Size {
            id: SizeId::try_from("s".to_owned()).unwrap(),
            times: Timestamps::new(DateTime::UNIX_EPOCH),
            name: String::new(),
            description: String::new(),
            labels: BTreeMap::new(),
            constraints: constraints
                .iter()
                .map(|&(kind, min, max, identifier)| Constraint {
                    kind,
                    min,
                    max,
                    identifier: identifier.to_owned(),
                })
                .collect(),
        }
    }

    use ConstraintType::{Cores, Gpu, Memory, Storage};

    #[test]
    fn sizes_overlap_when_a_machine_could_be_of_both() {
        let small = size(&[(Cores, 1, 4, ""), (Memory, 1, 8, "")]);
        assert!(small.overlaps(&size(&[(Cores, 4, 8, ""), (Memory, 8, 16, "")])));
        assert!(!small.overlaps(&size(&[(Cores, 5, 8, ""), (Memory, 1, 8, "")])));
        assert!(!small.overlaps(&size(&[(Cores, 1, 4, "")])));
        assert!(!small.overlaps(&size(&[
            (Cores, 1, 4, ""),
            (Memory, 1, 8, ""),
            (Gpu, 1, 1, "A*")
        ])));
        assert!(!size(&[]).overlaps(&size(&[])));
    }

    #[test]
    fn sizes_with_different_gpus_do_not_overlap() {
        let a = size(&[(Cores, 1, 4, ""), (Gpu, 1, 2, "AD102*")]);
        let b = size(&[(Cores, 1, 4, ""), (Gpu, 1, 2, "AD103*")]);
        let c = size(&[(Cores, 1, 4, ""), (Gpu, 1, 2, "AD102GL")]);
        assert!(!a.overlaps(&b));
        assert!(a.overlaps(&c));
    }

    #[test]
    fn constraints_that_make_no_sense_are_refused() {
        let reason = |constraints: &[_]| size(constraints).check().unwrap_err().to_string();
        assert_eq!(
            reason(&[(Cores, 4, 1, "")]),
            "constraints[0]: min 4 is greater than max 1"
        );
        assert!(reason(&[(Gpu, 1, 1, "")]).contains("needs an identifier"));
        assert!(reason(&[(Memory, 1, 1, "x")]).contains("has no identifier"));
        assert!(reason(&[(Cores, 1, 1, ""), (Cores, 2, 3, "")]).contains("second constraint"));
        assert!(
            size(&[(Storage, 1, 1, "/dev/nvme*"), (Storage, 1, 9, "/dev/sd*")])
                .check()
                .is_ok()
        );
    }
}
