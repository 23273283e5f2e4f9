//! The suite on three etcd members, with one node and with several that take turns; and what is
//! refused. Needs Debian's packages etcd-server and etcd-client.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cluster;
mod refusals;
mod several;
mod suite;
