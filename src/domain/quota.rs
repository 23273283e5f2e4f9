//! How much a tenant or project may have.

use serde::{Deserialize, Serialize};

use super::Invalid;

/// A limit; `None` or 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// At most that many.
    pub limit: Option<i32>,
}

/// The limits of a tenant or project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaSet {
    /// Clusters.
    pub cluster: Option<Quota>,
    /// Machines.
    pub machine: Option<Quota>,
    /// IP addresses.
    pub ip: Option<Quota>,
    /// Projects.
    pub project: Option<Quota>,
}

// === impl Quota ===

impl Quota {
    /// Whether one more than `used` is allowed.
    pub fn allows_another(self, used: usize) -> bool {
        match self.limit {
            None | Some(0) => true,
            Some(limit) => usize::try_from(limit).is_ok_and(|limit| used < limit),
        }
    }
}

// === impl QuotaSet ===

impl QuotaSet {
    /// Refuses negative limits; `field` is the field that holds the set.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        for (name, quota) in [
            ("cluster", self.cluster),
            ("machine", self.machine),
            ("ip", self.ip),
            ("project", self.project),
        ] {
            if quota.and_then(|quota| quota.limit).is_some_and(|l| l < 0) {
                return Err(Invalid::new(
                    format!("{field}.{name}.quota"),
                    "must not be negative",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_of_none_or_zero_is_no_limit() {
        assert!(Quota { limit: None }.allows_another(1_000));
        assert!(Quota { limit: Some(0) }.allows_another(1_000));
        assert!(Quota { limit: Some(2) }.allows_another(1));
        assert!(!Quota { limit: Some(2) }.allows_another(2));
    }
}
