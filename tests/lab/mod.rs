//! A laboratory of network namespaces: a node with an anycast address on `lo`, and leaf switches
//! that run FRR, each on a link of its own.
//!
//! Needs root, `ip` and Debian's `frr`; says so in one sentence where something is missing.
//! Everything that it makes carries the process id in its name and is gone when it is dropped.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test takes the part that it needs"
)]

mod clock;
mod leaf;
mod monitor;
mod namespace;
mod process;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};

pub use clock::{Moment, now};
pub use leaf::{Leaf, LeafConfig, RemoteAs};
pub use monitor::{RouteEvent, RouteMonitor};
pub use namespace::{Namespace, run};
pub use process::{Process, eventually};

/// The anycast addresses on the `lo` of every node.
pub const ANYCAST_V4: &str = "192.0.2.1/32";
/// See [`ANYCAST_V4`].
pub const ANYCAST_V6: &str = "2001:db8::1/128";

/// A node and its leaf switches.
pub struct Lab {
    // In this order: daemons end before their namespaces do.
    pub leaves: Vec<Leaf>,
    pub node: Namespace,
}

// === impl Lab ===

impl Lab {
    /// A node with one link, and one running leaf at its end, per configuration.
    pub fn new(leaves: &[LeafConfig]) -> Self {
        require_root();
        namespace::remove_stale();
        let name = unique();
        let node = Namespace::new(&format!("{name}-node"));
        node.ip(&["addr", "add", ANYCAST_V4, "dev", "lo"]);
        node.ip(&["addr", "add", ANYCAST_V6, "dev", "lo", "nodad"]);
        let mut lab = Self {
            leaves: Vec::new(),
            node,
        };
        for (index, config) in leaves.iter().enumerate() {
            let namespace = lab.link_leaf(index, config.unnumbered);
            lab.leaves.push(Leaf::start(namespace, index, config));
        }
        lab
    }

    /// A namespace linked to the node as leaf `index` is, with nothing running in it yet.
    pub fn attach(&self, index: usize) -> Namespace {
        self.link_leaf(index, false)
    }

    fn link_leaf(&self, index: usize, unnumbered: bool) -> Namespace {
        let name = self.node.name().trim_end_matches("-node");
        let namespace = Namespace::new(&format!("{name}-leaf{index}"));
        link(&self.node, &namespace, index, unnumbered);
        namespace
    }

    /// The node's IPv4 address on the link to leaf `index`.
    pub fn node_v4(index: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, octet(index), 1)
    }

    /// The leaf's IPv4 address on the link to the node.
    pub fn leaf_v4(index: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, octet(index), 2)
    }

    /// The node's IPv6 address on the link to leaf `index`.
    pub fn node_v6(index: usize) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0x99, index as u16, 0, 0, 0, 1)
    }

    /// The leaf's IPv6 address on the link to the node.
    pub fn leaf_v6(index: usize) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0x99, index as u16, 0, 0, 0, 2)
    }

    /// The interface of leaf `index` on the node; on the leaf it is always `up0`.
    pub fn node_interface(index: usize) -> String {
        format!("leaf{index}")
    }
}

fn octet(index: usize) -> u8 {
    u8::try_from(index).expect("a lab has a handful of leaves")
}

fn link(node: &Namespace, leaf: &Namespace, index: usize, unnumbered: bool) {
    let at_node = Lab::node_interface(index);
    let (node_name, leaf_name) = (node.name(), leaf.name());
    let pair = ["type", "veth", "peer", "name", "up0", "netns", leaf_name];
    let mut add = vec!["link", "add", &at_node, "netns", node_name];
    add.extend(pair);
    namespace::ip(&add);
    let ends = [
        (
            node,
            at_node.as_str(),
            Lab::node_v4(index),
            Lab::node_v6(index),
        ),
        (leaf, "up0", Lab::leaf_v4(index), Lab::leaf_v6(index)),
    ];
    for (end, interface, v4, v6) in ends {
        if unnumbered {
            end.ip(&["link", "set", interface, "up"]);
            continue;
        }
        end.ip(&["addr", "add", &format!("{v4}/30"), "dev", interface]);
        end.ip(&[
            "addr",
            "add",
            &format!("{v6}/64"),
            "dev",
            interface,
            "nodad",
        ]);
        end.ip(&["link", "set", interface, "up"]);
    }
}

/// A name that no other lab of this or another process has. Short enough for the kernel.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}{}-{next}", namespace::PREFIX, std::process::id())
}

fn require_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "these tests make network namespaces: run them as root"
    );
}
