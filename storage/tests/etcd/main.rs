//! The suite on three etcd members, with one node and with several that take turns; and what is
//! refused. Needs Debian's packages etcd-server and etcd-client. On a newer etcd, too: that of
//! `METAL_TEST_ETCD`, or, where there is Go, one made of its module.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "shared with another test")]
mod cluster;
mod compaction;
mod contents;
mod credentials;
mod limits;
mod newer;
mod old_version;
mod several;
mod suite;
mod tls;
mod turns;

#[test]
fn a_newer_etcd_passes_the_suite_too() {
    newer::passes(&["suite::one_node::", "credentials::", "limits::"]);
}
