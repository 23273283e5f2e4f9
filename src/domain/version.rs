//! Versions of operating system images, and constraints on them.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

/// Largest part of a version: what every client's number type holds exactly.
const MAX_PART: u64 = (1 << 53) - 1;

/// Most alternatives and conditions of a constraint.
const MAX_TERMS: usize = 32;

/// `major.minor.patch`; parts that are left out are 0, leading zeros and a leading `v` are
/// allowed (`24.04` is 24.4.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First part.
    pub major: u64,
    /// Second part.
    pub minor: u64,
    /// Third part.
    pub patch: u64,
}

/// Which versions are meant: `*`, `1.2`, `1.2.*`, `~1.2`, `^1.2.3`, `>= 1.2`, `!= 1.2.3`; `,` or a
/// space is and, `||` is or.
///
/// A version with parts left out means all that begin with it: `> 1.2` begins at 1.3.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionConstraint {
    /// Disjoint or not, in no order.
    ranges: Vec<Range>,
}

/// From `from` on, up to but without `to`; without end if `to` is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: Version,
    to: Option<Version>,
}

// === impl Version ===

impl Version {
    const ZERO: Self = Self::new(0, 0, 0);

    /// `major.minor.patch`.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let partial = Partial::parse(text)
            .filter(|partial| !partial.wildcard)
            .ok_or_else(|| {
                Invalid::new(
                    "version",
                    format!("{text:?} is no version like 1, 1.2 or 1.2.3"),
                )
            })?;
        Ok(partial.lowest())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

// === impl VersionConstraint ===

impl VersionConstraint {
    /// Whether `version` is meant.
    pub fn matches(&self, version: Version) -> bool {
        self.ranges.iter().any(|range| range.contains(version))
    }

    /// Whether some version is meant by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.ranges
            .iter()
            .any(|a| other.ranges.iter().any(|b| a.and(*b).is_some()))
    }

    fn all() -> Vec<Range> {
        vec![Range {
            from: Version::ZERO,
            to: None,
        }]
    }
}

impl FromStr for VersionConstraint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "version",
                format!("{text:?} is no version constraint like *, 1.2, ~1.2 or >= 1.2, < 2"),
            )
        };
        let mut ranges = Vec::new();
        let mut terms = 0;
        for alternative in text.split("||") {
            let mut meant = Self::all();
            let conditions = conditions(alternative).ok_or_else(invalid)?;
            terms += conditions.len();
            if terms > MAX_TERMS {
                return Err(Invalid::new(
                    "version",
                    format!("more than {MAX_TERMS} conditions in a version constraint"),
                ));
            }
            for (operator, partial) in conditions {
                let condition = partial.ranges(operator).ok_or_else(invalid)?;
                meant = meant
                    .iter()
                    .flat_map(|a| condition.iter().filter_map(|b| a.and(*b)))
                    .collect();
            }
            ranges.extend(meant);
        }
        Ok(Self { ranges })
    }
}

/// The conditions of one alternative: operator and version each. `None` if there is none or one
/// is not readable.
fn conditions(text: &str) -> Option<Vec<(&str, Partial)>> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (operator, after) =
            rest.split_at(rest.find(|c| !"=<>!~^".contains(c)).unwrap_or(rest.len()));
        let after = after.trim_start();
        let (version, after) = after.split_at(
            after
                .find(|c: char| c == ',' || c.is_whitespace())
                .unwrap_or(after.len()),
        );
        found.push((operator, Partial::parse(version)?));
        rest = after.trim_start();
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            if rest.is_empty() {
                return None;
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

// === impl Range ===

impl Range {
    fn contains(self, version: Version) -> bool {
        self.from <= version && self.to.is_none_or(|to| version < to)
    }

    fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        to.is_none_or(|to| from < to).then_some(Self { from, to })
    }
}

// === Partial ===

/// A version with perhaps parts left out or `*`.
#[derive(Clone, Copy)]
struct Partial {
    parts: [u64; 3],
    given: usize,
    wildcard: bool,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut partial = Self {
            parts: [0; 3],
            given: 0,
            wildcard: false,
        };
        for (i, part) in text.split('.').enumerate() {
            if i >= 3 {
                return None;
            }
            if matches!(part, "*" | "x" | "X") {
                partial.wildcard = true;
                continue;
            }
            if partial.wildcard || part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            partial.parts[i] = part.parse().ok().filter(|part| *part <= MAX_PART)?;
            partial.given = i + 1;
        }
        Some(partial)
    }

    fn lowest(self) -> Version {
        let [major, minor, patch] = self.parts;
        Version::new(major, minor, patch)
    }

    /// The first version after all that share the first `parts` parts; `None` if there is none.
    fn after(self, parts: usize) -> Option<Version> {
        let [major, minor, patch] = self.parts;
        match parts {
            0 => None,
            1 => Some(Version::new(major + 1, 0, 0)),
            2 => Some(Version::new(major, minor + 1, 0)),
            _ => Some(Version::new(major, minor, patch + 1)),
        }
    }

    fn ranges(self, operator: &str) -> Option<Vec<Range>> {
        let from = self.lowest();
        let to = self.after(self.given);
        let below = Range {
            from: Version::ZERO,
            to: Some(from),
        };
        let below = (from > Version::ZERO).then_some(below);
        let above = to.map(|to| Range { from: to, to: None });
        Some(match operator {
            "" | "=" | "==" => vec![Range { from, to }],
            "!=" => below.into_iter().chain(above).collect(),
            ">" => above.into_iter().collect(),
            ">=" | "=>" => vec![Range { from, to: None }],
            "<" => below.into_iter().collect(),
            "<=" | "=<" => vec![Range {
                from: Version::ZERO,
                to,
            }],
            "~" | "~>" => vec![Range {
                from,
                to: self.after(self.given.min(2)),
            }],
            "^" => {
                let leading = self.parts[..self.given]
                    .iter()
                    .position(|part| *part > 0)
                    .map_or(self.given, |i| i + 1);
                vec![Range {
                    from,
                    to: self.after(leading),
                }]
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraint(text: &str) -> VersionConstraint {
        text.parse().unwrap()
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert_eq!(version("24.04"), Version::new(24, 4, 0));
        assert_eq!(version("v3"), Version::new(3, 0, 0));
        assert!(version("1.10") > version("1.9.20260101"));
        for bad in [
            "",
            "1.",
            "a",
            "1.2.3.4",
            "1.*",
            "-1",
            "1.2-rc1",
            "99999999999999999999",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_constraint_matches_the_versions_that_it_means() {
        for (text, yes, no) in [
            ("*", "0.0.0 9.9.9", ""),
            ("1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
            ("= 1.2.3", "1.2.3", "1.2.4"),
            ("1.*", "1.0 1.9.9", "2.0"),
            ("~1.2", "1.2.0 1.2.99", "1.3.0"),
            ("~1.2.3", "1.2.3 1.2.99", "1.2.2 1.3.0"),
            ("~1", "1.0 1.9", "2.0"),
            ("^1.2.3", "1.2.3 1.9", "1.2.2 2.0"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            (">= 20.04, < 22", "20.4 21.9", "20.3 22.0"),
            (">=20.04 <22", "20.4 21.9", "20.3 22.0"),
            ("> 1.2", "1.3.0", "1.2.9"),
            ("<= 1.2", "1.2.9 0.1", "1.3.0"),
            ("!= 1.2.3", "1.2.2 1.2.4", "1.2.3"),
            ("1.2 || 3", "1.2.1 3.4", "2.0"),
        ] {
            let constraint = constraint(text);
            for version in yes.split_whitespace() {
                assert!(
                    constraint.matches(version.parse().unwrap()),
                    "{text} {version}"
                );
            }
            for version in no.split_whitespace() {
                assert!(
                    !constraint.matches(version.parse().unwrap()),
                    "{text} {version}"
                );
            }
        }
    }

    #[test]
    fn an_unreadable_constraint_is_refused() {
        for bad in [
            "", " ", "||", "abc", ">=", "1.2,", "<>1", ">= 1 ||", "1.2.3.4",
        ] {
            assert!(bad.parse::<VersionConstraint>().is_err(), "{bad:?}");
        }
        assert!(
            "1,".repeat(40)
                .trim_end_matches(',')
                .parse::<VersionConstraint>()
                .is_err()
        );
    }

    #[test]
    fn constraints_overlap_when_a_version_is_meant_by_both() {
        assert!(constraint("*").overlaps(&constraint("~20.4")));
        assert!(constraint(">= 20.04").overlaps(&constraint("< 22")));
        assert!(!constraint(">= 22").overlaps(&constraint("< 22")));
        assert!(!constraint("~1.2").overlaps(&constraint("~1.3")));
        assert!(!constraint("1.2.3").overlaps(&constraint("!= 1.2.3")));
    }
}
