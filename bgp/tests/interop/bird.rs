//! A leaf that runs BIRD 2.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{HOLD_TIME, LEAF_ASN, Leaf, NODE_ASN, Namespace, PATIENCE, Process, eventually};
use crate::lab::{Lab, run};

const BIRD: &str = "/usr/sbin/bird";

pub struct Bird {
    process: Process,
    directory: TempDir,
    namespace: Namespace,
}

// === impl Bird ===

impl Bird {
    fn spawn(namespace: &Namespace, directory: &Path) -> Process {
        let at = |file: &str| directory.join(file);
        let _ = fs::remove_file(Self::socket(directory));
        let mut command = namespace.command(BIRD);
        command.arg("-f").arg("-c").arg(at("bird.conf"));
        command.arg("-s").arg(Self::socket(directory));
        command.arg("-P").arg(at("bird.pid"));
        let process = Process::spawn(&mut command);
        eventually("bird listens", PATIENCE, || {
            Self::socket(directory).exists().then_some(())
        });
        process
    }

    fn socket(directory: &Path) -> PathBuf {
        directory.join("bird.ctl")
    }

    /// Asks the node for its routes (RFC 2918).
    pub fn refresh(&self) {
        self.ask(&["reload", "in", "node"]);
    }

    /// Ends the session and lets it come back.
    pub fn reset(&self) {
        self.ask(&["restart", "node"]);
    }

    fn ask(&self, words: &[&str]) -> String {
        let mut command = self.namespace.command("/usr/sbin/birdc");
        command.arg("-s").arg(Self::socket(self.directory.path()));
        run(command.args(words))
    }
}

impl Leaf for Bird {
    fn start(namespace: Namespace, node: IpAddr) -> Self {
        assert!(
            Path::new(BIRD).exists(),
            "BIRD is missing: these tests need {BIRD} (Debian package bird2)"
        );
        let directory = tempfile::tempdir().expect("a directory for the leaf");
        let (router_id, keepalive) = (Lab::leaf_v4(0), HOLD_TIME / 4);
        let config = format!(
            "router id {router_id};
protocol device {{}}
protocol bgp node {{
  local as {LEAF_ASN};
  neighbor {node} as {NODE_ASN};
  hold time {HOLD_TIME};
  keepalive time {keepalive};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  ipv4 {{ import all; export none; }};
  ipv6 {{ import all; export none; }};
}}
"
        );
        fs::write(directory.path().join("bird.conf"), config).expect("it is writable");
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
        // `show route` fails where there is none.
        let mut command = self.namespace.command("/usr/sbin/birdc");
        command.arg("-s").arg(Self::socket(self.directory.path()));
        command.args(["show", "route", prefix, "all"]);
        let output = command.output().expect("birdc runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.contains("BGP.as_path") {
            true => text,
            false => String::new(),
        }
    }

    fn attributes() -> [&'static str; 4] {
        [
            "BGP.as_path: 4200000001 4200000001 4200000001\n",
            "BGP.med: 50\n",
            "BGP.community: (65001,7)\n",
            "BGP.large_community: (4200000001, 1, 2)\n",
        ]
    }
}
