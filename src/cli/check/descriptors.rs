//! Are there enough file descriptors for the connections?

use nix::sys::resource::{Resource, getrlimit};

use super::{Subject, finding::Group};

/// For the store, listeners, peers, logs.
const OTHERS: u64 = 256;

pub(super) fn check(subject: &Subject) -> Group {
    let mut group = Group::new("file descriptors");
    let connections = subject.config.listen.max_connections as u64;
    let needed = connections + OTHERS;
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Err(error) => group.failed("the limit of open files", error.desc(), "run it on Linux"),
        // The node raises its soft limit to the hard one.
        Ok((_, hard)) if hard >= needed => {
            group.ok(format!("{hard} for {connections} connections and {OTHERS} others"));
        }
        Ok((_, hard)) => group.failed(
            format!("{hard} for {connections} connections and {OTHERS} others"),
            "connections beyond the limit would be refused",
            format!("LimitNOFILE={needed} in the unit, ulimit -Hn {needed}, or lower listen.max-connections"),
        ),
    }
    group
}
