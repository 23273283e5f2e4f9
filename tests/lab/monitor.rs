//! When routes come and go in a kernel's table.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::clock::Moment;
use super::namespace::Namespace;

/// More events than this are forgotten, oldest first.
const KEPT: usize = 10_000;

/// zebra changes an IPv6 route by deleting it and adding the new one some ten microseconds later.
/// A deletion that is followed by an addition so soon is a replacement.
const REPLACEMENT: Duration = Duration::from_millis(5);

/// A route that the kernel was given or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEvent {
    /// When `ip monitor` saw it.
    pub at: Moment,
    /// The route was deleted; otherwise added or replaced.
    pub deleted: bool,
    /// As `ip` writes it: without `/32` and `/128`.
    pub prefix: String,
    /// The whole line.
    pub line: String,
}

/// `ip -ts monitor route` in a namespace. Reads from before its construction returns until it is
/// dropped.
pub struct RouteMonitor {
    child: Child,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    events: Mutex<VecDeque<RouteEvent>>,
    more: Condvar,
}

// === impl RouteMonitor ===

impl RouteMonitor {
    /// Starts reading, and returns once it hears.
    pub fn start(namespace: &Namespace) -> Self {
        let mut child = Command::new("ip")
            .args(["-n", namespace.name(), "-o", "-ts", "monitor", "route"])
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ip can be run");
        let stdout = child.stdout.take().expect("output was asked for");
        let seen = Arc::new(Seen::default());
        let for_thread = Arc::clone(&seen);
        // Ends with the process, which ends with `self`.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(event) = RouteEvent::parse(&line) {
                    let mut events = for_thread.events.lock().expect("no reader panics inside");
                    events.push_back(event);
                    if events.len() > KEPT {
                        events.pop_front();
                    }
                    for_thread.more.notify_all();
                }
            }
        });
        let monitor = Self { child, seen };
        // It says nothing when it begins to listen, so routes are changed until it says so.
        let began = super::now();
        for _ in 0..200 {
            namespace.ip(&["route", "add", "203.0.113.255/32", "dev", "lo"]);
            namespace.ip(&["route", "del", "203.0.113.255/32", "dev", "lo"]);
            let wait = Duration::from_millis(50);
            if monitor
                .find("203.0.113.255/32", true, began, wait)
                .is_some()
            {
                return monitor;
            }
        }
        panic!("ip monitor does not report routes in {}", namespace.name());
    }

    /// Waits until the route to `prefix` is added, or replaced, after `since`. Panics after
    /// `patience`.
    pub fn added(&self, prefix: &str, since: Moment, patience: Duration) -> RouteEvent {
        let found = self.find(prefix, false, since, patience);
        found.unwrap_or_else(|| panic!("no route to {prefix} within {patience:?}"))
    }

    /// Waits until the route to `prefix` is deleted, and not just replaced, after `since`. Panics
    /// after `patience`.
    pub fn deleted(&self, prefix: &str, since: Moment, patience: Duration) -> RouteEvent {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let found = self.find(prefix, true, since, left);
            assert!(
                found.is_some(),
                "the route to {prefix} stayed for {patience:?}"
            );
            // Whatever replaces it has come by then.
            let last = self.losses(prefix, since).into_iter().next();
            let settled = |loss: &RouteEvent| super::now().since(loss.at) > 2 * REPLACEMENT;
            if let Some(loss) = last.filter(settled) {
                return loss;
            }
            assert!(
                !left.is_zero(),
                "the route to {prefix} stayed for {patience:?}"
            );
            super::process::pause();
        }
    }

    /// Every event of `prefix` after `since` so far.
    pub fn events(&self, prefix: &str, since: Moment) -> Vec<RouteEvent> {
        let events = self.seen.events.lock().expect("no reader panics inside");
        let of = |event: &&RouteEvent| event.at >= since && same(&event.prefix, prefix);
        events.iter().filter(of).cloned().collect()
    }

    /// Every time that the route to `prefix` was deleted, and not just replaced, after `since` so
    /// far.
    pub fn losses(&self, prefix: &str, since: Moment) -> Vec<RouteEvent> {
        let events = self.events(prefix, since);
        let lost = |(position, event): &(usize, &RouteEvent)| {
            let next = events.get(position + 1);
            let replaced = next.is_some_and(|n| !n.deleted && n.at.since(event.at) < REPLACEMENT);
            event.deleted && !replaced
        };
        let lost = events.iter().enumerate().filter(lost);
        lost.map(|(_, event)| event.clone()).collect()
    }

    fn find(
        &self,
        prefix: &str,
        deleted: bool,
        since: Moment,
        patience: Duration,
    ) -> Option<RouteEvent> {
        let end = Instant::now() + patience;
        let mut events = self.seen.events.lock().expect("no reader panics inside");
        loop {
            let found = events.iter().find(|event| {
                event.deleted == deleted && event.at >= since && same(&event.prefix, prefix)
            });
            if let Some(event) = found {
                return Some(event.clone());
            }
            let left = end.checked_duration_since(Instant::now())?;
            let waited = self.seen.more.wait_timeout(events, left);
            events = waited.expect("no reader panics inside").0;
        }
    }
}

impl Drop for RouteMonitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ip` leaves out the length of a host route.
fn same(shown: &str, prefix: &str) -> bool {
    let bare = prefix.trim_end_matches("/128");
    let bare = bare
        .strip_suffix("/32")
        .filter(|b| !b.contains(':'))
        .unwrap_or(bare);
    shown == bare || shown == prefix
}

// === impl RouteEvent ===

impl RouteEvent {
    fn parse(line: &str) -> Option<Self> {
        let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
        let rest = rest.trim_start();
        let (deleted, route) = match rest.strip_prefix("Deleted ") {
            Some(route) => (true, route),
            None => (false, rest),
        };
        let mut words = route.split_whitespace();
        let first = words.next()?;
        let prefix = match first {
            "unicast" | "local" | "broadcast" | "multicast" | "blackhole" | "unreachable" => {
                words.next()?
            }
            _ => first,
        };
        Some(Self {
            at: Moment::parse(stamp)?,
            deleted,
            prefix: prefix.to_owned(),
            line: line.to_owned(),
        })
    }
}
