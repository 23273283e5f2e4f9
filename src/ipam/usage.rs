use ipnet::IpNet;

use super::{Pool, prefix};

/// More than this is not reported.
const MOST: u64 = 1 << 31;

/// How much of a prefix is used, as the API reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All addresses, used or not; 2^31 - 1 if they are more than 2^31.
    pub available_ips: u64,
    /// Addresses that are acquired, and those never handed out.
    pub used_ips: u64,
    /// Prefixes of four addresses that no child prefix has; 2^31 - 1 at the most.
    pub available_prefixes: u64,
    /// Child prefixes that are acquired, whatever their size.
    pub used_prefixes: u64,
}

// === impl Usage ===

impl Usage {
    /// Of a prefix whose pool gives addresses. Costs O(1).
    pub fn of_addresses(of: &IpNet, pool: &Pool) -> Self {
        let used = u128::from(pool.acquired).saturating_add(pool.reserved());
        Self {
            available_ips: addresses(of),
            used_ips: u64::try_from(used).unwrap_or(u64::MAX),
            available_prefixes: quads(prefix::interval(of).quads()),
            used_prefixes: 0,
        }
    }

    /// Of a prefix whose pool gives child prefixes. Costs O(1).
    pub fn of_children(of: &IpNet, pool: &Pool) -> Self {
        Self {
            available_ips: addresses(of),
            used_ips: prefix::reserved(of).len() as u64,
            available_prefixes: quads(pool.counters.quads),
            used_prefixes: pool.acquired,
        }
    }

    /// The sum over several prefixes.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            available_ips: self.available_ips.saturating_add(other.available_ips),
            used_ips: self.used_ips.saturating_add(other.used_ips),
            available_prefixes: self
                .available_prefixes
                .saturating_add(other.available_prefixes),
            used_prefixes: self.used_prefixes.saturating_add(other.used_prefixes),
        }
    }
}

fn addresses(of: &IpNet) -> u64 {
    match of.max_prefix_len() - of.prefix_len() {
        bits @ 0..=31 => 1 << bits,
        _ => MOST - 1,
    }
}

fn quads(count: u128) -> u64 {
    u64::try_from(count).map_or(MOST - 1, |count| count.min(MOST - 1))
}
