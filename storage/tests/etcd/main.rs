//! The suite on three etcd members, with one node and with several that take turns; and what is
//! refused. Needs Debian's packages etcd-server and etcd-client.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "shared with another test")]
mod cluster;
mod compaction;
mod contents;
mod credentials;
mod limits;
mod old_version;
mod several;
mod suite;
mod tls;
mod turns;
