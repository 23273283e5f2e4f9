use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::cluster::Place;

/// Three network namespaces, each on two networks: one that clients reach, one among themselves.
pub struct Network {
    id: u32,
}

/// One of a member's two interfaces.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Clients,
    Peers,
}

// === impl Network ===

impl Network {
    pub fn new() -> Self {
        let root = nix::unistd::geteuid().is_root();
        assert!(
            root,
            "these tests make network namespaces: run them as root"
        );
        // Names of their own: the kernel takes its time to remove the last ones.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let network = Self {
            id: std::process::id() % 9_000 * 10 + number,
        };
        for side in [Side::Clients, Side::Peers] {
            let bridge = network.bridge(side);
            ip(&format!("link add {bridge} type bridge"));
            ip(&format!("link set {bridge} up"));
        }
        let bridge = network.bridge(Side::Clients);
        ip(&format!(
            "addr add {}/24 dev {bridge}",
            network.address(Side::Clients, 254)
        ));
        for i in 0..3 {
            let name = network.namespace(i);
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
            for side in [Side::Clients, Side::Peers] {
                let (bridge, outer) = (network.bridge(side), network.outer(i, side));
                let inner = match side {
                    Side::Clients => "clients",
                    Side::Peers => "peers",
                };
                let address = network.address(side, i as u8 + 1);
                ip(&format!(
                    "link add {outer} type veth peer name {inner} netns {name}"
                ));
                ip(&format!("link set {outer} master {bridge} up"));
                ip(&format!("-n {name} addr add {address}/24 dev {inner}"));
                ip(&format!("-n {name} link set {inner} up"));
            }
        }
        network
    }

    pub fn places(&self) -> Vec<Place> {
        let place = |i: usize| Place {
            namespace: Some(self.namespace(i)),
            disk: None,
            client: (IpAddr::V4(self.address(Side::Clients, i as u8 + 1)), 2379),
            peer: (IpAddr::V4(self.address(Side::Peers, i as u8 + 1)), 2380),
        };
        (0..3).map(place).collect()
    }

    /// Nothing passes any more, in silence.
    pub fn cut(&self, member: usize, side: Side) {
        ip(&format!("link set {} down", self.outer(member, side)));
    }

    pub fn mend(&self, member: usize, side: Side) {
        ip(&format!("link set {} up", self.outer(member, side)));
    }

    fn namespace(&self, i: usize) -> String {
        format!("etcd{}-{i}", self.id)
    }

    fn bridge(&self, side: Side) -> String {
        let letter = letter(side);
        format!("eb{letter}{}", self.id)
    }

    fn outer(&self, i: usize, side: Side) -> String {
        let letter = letter(side);
        format!("ev{letter}{}-{i}", self.id)
    }

    fn address(&self, side: Side, host: u8) -> Ipv4Addr {
        let third = (self.id % 250) as u8;
        match side {
            Side::Clients => Ipv4Addr::new(10, 213, third, host),
            Side::Peers => Ipv4Addr::new(10, 214, third, host),
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for i in 0..3 {
            let _ = try_ip(&format!("netns del {}", self.namespace(i)));
        }
        for side in [Side::Clients, Side::Peers] {
            let _ = try_ip(&format!("link del {}", self.bridge(side)));
        }
    }
}

fn letter(side: Side) -> char {
    match side {
        Side::Clients => 'c',
        Side::Peers => 'p',
    }
}

fn ip(args: &str) {
    let output = try_ip(args).expect("ip is there: install Debian's package iproute2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {args}: {said}");
}

fn try_ip(args: &str) -> std::io::Result<std::process::Output> {
    Command::new("ip").args(args.split(' ')).output()
}
