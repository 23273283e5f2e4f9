//! A leaf that runs GoBGP 3.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use tempfile::TempDir;

use super::{HOLD_TIME, LEAF_ASN, Leaf, NODE_ASN, Namespace, PATIENCE, Process, eventually};
use crate::lab::{Lab, run};

const GOBGPD: &str = "/usr/bin/gobgpd";

/// Its gRPC interface, in its own namespace.
const API: &str = "127.0.0.1:50051";

pub struct Gobgp {
    process: Process,
    directory: TempDir,
    namespace: Namespace,
}

// === impl Gobgp ===

impl Gobgp {
    fn spawn(namespace: &Namespace, directory: &Path) -> Process {
        let mut command = namespace.command(GOBGPD);
        command.arg("-f").arg(directory.join("gobgpd.toml"));
        command.args(["--api-hosts", API, "--pprof-disable"]);
        let process = Process::spawn(&mut command);
        eventually("gobgpd knows its configuration", PATIENCE, || {
            let mut command = namespace.command("gobgp");
            let output = command.args(["neighbor", "-j"]).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            text.contains("peer_asn").then_some(())
        });
        process
    }

    /// Applies its policies to the node's routes again.
    pub fn soft_reset_in(&self, node: IpAddr) {
        let mut command = self.namespace.command("gobgp");
        run(command.args(["neighbor", &node.to_string(), "softresetin"]));
    }
}

impl Leaf for Gobgp {
    fn start(namespace: Namespace, node: IpAddr) -> Self {
        assert!(
            Path::new(GOBGPD).exists(),
            "GoBGP is missing: these tests need {GOBGPD} (Debian package gobgpd)"
        );
        let directory = tempfile::tempdir().expect("a directory for the leaf");
        let (router_id, keepalive) = (Lab::leaf_v4(0), HOLD_TIME / 4);
        let family = |name| {
            format!(
                "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{name}\"\n"
            )
        };
        let families = [family("ipv4-unicast"), family("ipv6-unicast")].concat();
        let config = format!(
            "[global.config]
as = {LEAF_ASN}
router-id = \"{router_id}\"
[[neighbors]]
[neighbors.config]
neighbor-address = \"{node}\"
peer-as = {NODE_ASN}
[neighbors.timers.config]
hold-time = {HOLD_TIME}
keepalive-interval = {keepalive}
[neighbors.transport.config]
passive-mode = true
{families}"
        );
        fs::write(directory.path().join("gobgpd.toml"), config).expect("it is writable");
        Self {
            process: Self::spawn(&namespace, directory.path()),
            directory,
            namespace,
        }
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn restart(&mut self) {
        self.process = Self::spawn(&self.namespace, self.directory.path());
    }

    fn route(&self, prefix: &str) -> String {
        let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
        let mut command = self.namespace.command("gobgp");
        command.args(["global", "rib", prefix, "-a", family]);
        let output = command.output().expect("gobgp runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.contains(prefix) && text.contains("Origin") {
            true => text,
            false => String::new(),
        }
    }

    fn attributes() -> [&'static str; 4] {
        [
            "4200000001 4200000001 4200000001",
            "{Med: 50}",
            "{Communities: 65001:7}",
            "4200000001:1:2",
        ]
    }
}
