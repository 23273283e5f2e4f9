//! What is known of every prefix, and when to look again. Without a clock of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::Community;
use crate::session::{Route, Table};

/// Prefixes of one round at most; those that wait longest come first.
const BATCH: usize = 16;

/// From an announcement to the first round: a switch needs some time to fill its tables.
const SETTLE: Duration = Duration::from_secs(1);

/// The waits after each of the first rounds. A prefix that came back in none of them, nor in the
/// one after, is missing.
const TRIES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

/// And the waits from there on; the last one is for ever.
const LATER: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
];

/// The prefixes that one peer was told on one session.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<IpNet, Entry>);

#[derive(Debug)]
struct Entry {
    route: Arc<Route>,
    tries: usize,
    missing: bool,
    /// When to look; never again once a packet came back.
    due: Option<Instant>,
}

// === impl Ledger ===

impl Ledger {
    /// The peer knows `told` now. Prefixes whose route is the same stay as they are, unless the
    /// peer asked for them `again`: its policy may be another one. One that is announced with
    /// GRACEFUL_SHUTDOWN is left out: others are to be preferred.
    pub(super) fn follow(&mut self, now: Instant, told: &Table, again: bool) {
        let mut before = std::mem::take(&mut self.0);
        let leaves = |route: &Route| {
            let communities = route.attributes.communities();
            communities.contains(&Community::GRACEFUL_SHUTDOWN)
        };
        for (prefix, route) in told.iter().filter(|(_, route)| !leaves(route)) {
            let known = before.remove(prefix);
            let entry = match known.filter(|entry| entry.route == *route) {
                Some(entry) if !again => entry,
                known => Entry {
                    route: Arc::clone(route),
                    tries: 0,
                    missing: known.is_some_and(|entry| entry.missing),
                    due: Some(now + SETTLE),
                },
            };
            self.0.insert(*prefix, entry);
        }
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().filter_map(|entry| entry.due).min()
    }

    /// What to look for now, and counts it as looked for.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(IpNet, Arc<Route>)> {
        let due = |entry: &Entry| entry.due.filter(|due| *due <= now);
        let mut waiting: Vec<_> = self
            .0
            .iter_mut()
            .filter_map(|(prefix, entry)| Some((due(entry)?, prefix, entry)))
            .collect();
        waiting.sort_by_key(|(due, prefix, _)| (*due, **prefix));
        waiting.truncate(BATCH);
        let taken = waiting.into_iter().map(|(_, prefix, entry)| {
            let wait = match TRIES.get(entry.tries) {
                Some(wait) => *wait,
                None => LATER[(entry.tries - TRIES.len()).min(LATER.len() - 1)],
            };
            entry.tries += 1;
            entry.due = Some(now + wait);
            (*prefix, Arc::clone(&entry.route))
        });
        taken.collect()
    }

    /// A packet to `prefix` came back.
    pub(super) fn came_back(&mut self, prefix: &IpNet) {
        if let Some(entry) = self.0.get_mut(prefix) {
            entry.missing = false;
            entry.due = None;
        }
    }

    /// A round is over: who was looked for often enough is missing.
    pub(super) fn conclude(&mut self) {
        for entry in self.0.values_mut() {
            entry.missing |= entry.due.is_some() && entry.tries > TRIES.len();
        }
    }

    /// The prefixes that do not come back, in order.
    pub(super) fn missing(&self) -> Vec<IpNet> {
        let missing = self.0.iter().filter(|(_, entry)| entry.missing);
        missing.map(|(prefix, _)| *prefix).collect()
    }

    /// The prefixes that came back, in order.
    pub(super) fn verified(&self) -> Vec<IpNet> {
        let verified = self.0.iter().filter(|(_, entry)| entry.due.is_none());
        verified.map(|(prefix, _)| *prefix).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;

    fn table(prefixes: &[&str], attributes: &Attributes) -> Table {
        let route = Arc::new(Route {
            next_hop: "10.0.0.1".parse().unwrap(),
            attributes: Arc::new(attributes.clone()),
        });
        let prefix = |text: &&str| (text.parse().unwrap(), Arc::clone(&route));
        prefixes.iter().map(prefix).collect()
    }

    fn plain(prefixes: &[&str]) -> Table {
        table(prefixes, &Attributes::default())
    }

    /// One round at the time that is due; what it looked for.
    fn round(ledger: &mut Ledger, back: &[&str]) -> (Instant, Vec<String>) {
        let at = ledger.next().expect("something is due");
        let due = ledger.take_due(at);
        for prefix in back {
            ledger.came_back(&prefix.parse().unwrap());
        }
        ledger.conclude();
        (
            at,
            due.iter().map(|(prefix, _)| prefix.to_string()).collect(),
        )
    }

    #[test]
    fn a_prefix_that_comes_back_is_never_looked_for_again_and_one_that_does_not_is_for_ever() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        let told = plain(&["192.0.2.1/32", "2001:db8::1/128"]);
        ledger.follow(start, &told, false);
        let (at, due) = round(&mut ledger, &["192.0.2.1/32"]);
        assert_eq!(at - start, SETTLE);
        assert_eq!(due, ["192.0.2.1/32", "2001:db8::1/128"]);
        for _ in &TRIES {
            assert!(ledger.missing().is_empty(), "not yet");
            let (_, due) = round(&mut ledger, &[]);
            assert_eq!(due, ["2001:db8::1/128"]);
        }
        assert_eq!(ledger.missing(), ["2001:db8::1/128".parse().unwrap()]);
        assert_eq!(ledger.verified(), ["192.0.2.1/32".parse().unwrap()]);
        let mut last = start;
        for _ in 0..10 {
            last = round(&mut ledger, &[]).0;
        }
        assert_eq!(ledger.next(), Some(last + Duration::from_secs(30)));
        round(&mut ledger, &["2001:db8::1/128"]);
        assert!(ledger.missing().is_empty());
        assert_eq!(ledger.next(), None, "nothing is sent any more");
    }

    #[test]
    fn a_peer_that_asks_again_and_a_route_that_changes_are_looked_at_anew() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        let told = plain(&["192.0.2.1/32"]);
        ledger.follow(start, &told, false);
        round(&mut ledger, &["192.0.2.1/32"]);
        ledger.follow(start, &told, false);
        assert_eq!(ledger.next(), None, "the same is no news");
        ledger.follow(start, &told, true);
        assert_eq!(ledger.next(), Some(start + SETTLE));
        round(&mut ledger, &["192.0.2.1/32"]);
        let dearer = table(&["192.0.2.1/32"], &Attributes::default().with_med(9));
        ledger.follow(start, &dearer, false);
        assert_eq!(ledger.next(), Some(start + SETTLE));
        ledger.follow(start, &Table::new(), false);
        assert_eq!(ledger.next(), None);
    }

    #[test]
    fn a_missing_prefix_stays_missing_until_it_comes_back_and_goes_with_its_announcement() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        let told = plain(&["192.0.2.1/32"]);
        ledger.follow(start, &told, false);
        for _ in 0..=TRIES.len() {
            round(&mut ledger, &[]);
        }
        ledger.follow(start, &told, true);
        assert_eq!(ledger.missing().len(), 1, "nothing is known to be better");
        let shutdown = Attributes::default()
            .with_communities([Community::GRACEFUL_SHUTDOWN])
            .unwrap();
        ledger.follow(start, &table(&["192.0.2.1/32"], &shutdown), false);
        assert!(ledger.missing().is_empty() && ledger.next().is_none());
    }

    #[test]
    fn a_round_is_bounded_and_every_prefix_has_its_turn() {
        let start = Instant::now();
        let mut ledger = Ledger::default();
        let prefixes: Vec<String> = (0..100).map(|n| format!("192.0.2.{n}/32")).collect();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        ledger.follow(start, &plain(&prefixes), false);
        let mut seen = Vec::new();
        for _ in 0..7 {
            let due = ledger.take_due(start + SETTLE);
            assert!(due.len() <= BATCH);
            seen.extend(due.into_iter().map(|(prefix, _)| prefix));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 100);
    }
}
