//! How long it took, for people.

use super::PATIENCE;
use super::lab::{ANYCAST_V4, ANYCAST_V6, Moment, RouteMonitor};

/// Prints one line of the table.
pub fn report(what: &str, from: Moment, to: Moment) {
    println!("measured | {what} | {} ms", to.since(from).as_millis());
}

/// Waits until both routes are deleted after `since`, and prints how long that
/// took. Returns when the later one went.
pub fn gone(monitor: &RouteMonitor, what: &str, since: Moment) -> Moment {
    let v4 = monitor.deleted(ANYCAST_V4, since, PATIENCE).at;
    let v6 = monitor.deleted(ANYCAST_V6, since, PATIENCE).at;
    report(&format!("{what}, until the /32 is gone"), since, v4);
    report(&format!("{what}, until the /128 is gone"), since, v6);
    v4.max(v6)
}

/// Waits until both routes are there again after `since`.
pub fn back(monitor: &RouteMonitor, what: &str, since: Moment) {
    let v4 = monitor.added(ANYCAST_V4, since, PATIENCE).at;
    let v6 = monitor.added(ANYCAST_V6, since, PATIENCE).at;
    report(&format!("{what}, until both are back"), since, v4.max(v6));
}
