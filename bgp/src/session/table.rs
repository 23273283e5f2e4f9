//! What a peer has been told, what it should be told, and the difference.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::{Attributes, LogEvent};

/// What can differ between two announcements of one prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) next_hop: IpAddr,
    pub(crate) attributes: Arc<Attributes>,
}

/// The routes towards one peer (its Adj-RIB-Out, RFC 4271 section 3.2).
pub(crate) type Table = BTreeMap<IpNet, Arc<Route>>;

/// One thing to tell a peer. All prefixes are of one family, and there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Withdraw {
        prefixes: Vec<IpNet>,
    },
    Announce {
        route: Arc<Route>,
        prefixes: Vec<IpNet>,
    },
}

/// What leads from `told` to `wanted`: withdrawals first, then announcements, and nothing for a
/// prefix whose route stays as it is. Linear in both tables.
pub(crate) fn changes(told: &Table, wanted: &Table) -> Vec<Change> {
    let gone = told.keys().filter(|prefix| !wanted.contains_key(*prefix));
    let (v4, v6): (Vec<IpNet>, Vec<IpNet>) = gone.partition(|prefix| is_v4(prefix));
    let withdrawals = [v4, v6]
        .into_iter()
        .filter(|prefixes| !prefixes.is_empty())
        .map(|prefixes| Change::Withdraw { prefixes });

    let mut groups: BTreeMap<(bool, &Arc<Route>), Vec<IpNet>> = BTreeMap::new();
    for (prefix, route) in wanted {
        if told.get(prefix) != Some(route) {
            let group = groups.entry((is_v4(prefix), route)).or_default();
            group.push(*prefix);
        }
    }
    let announcements = groups
        .into_iter()
        .map(|((_, route), prefixes)| Change::Announce {
            route: Arc::clone(route),
            prefixes,
        });
    withdrawals.chain(announcements).collect()
}

fn is_v4(prefix: &IpNet) -> bool {
    matches!(prefix, IpNet::V4(_))
}

// === impl Change ===

impl Change {
    /// The same for the log.
    pub(crate) fn event(&self) -> LogEvent {
        let prefixes = self.prefixes();
        let first = *prefixes.iter().min().expect("a change has a prefix");
        let prefixes = prefixes.len();
        match self {
            Self::Withdraw { .. } => LogEvent::Withdrawn { prefixes, first },
            Self::Announce { route, .. } => LogEvent::Announced {
                prefixes,
                first,
                next_hop: route.next_hop,
                attributes: Attributes::clone(&route.attributes),
            },
        }
    }

    pub(crate) fn prefixes(&self) -> &[IpNet] {
        match self {
            Self::Withdraw { prefixes } | Self::Announce { prefixes, .. } => prefixes,
        }
    }
}
