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
    node: IpAddr,
}

/// What BIRD is told about the node.
pub struct Terms {
    /// The filter for each family.
    pub import: [&'static str; 2],
    /// More lines about the session.
    pub extra: &'static str,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            import: ["all"; 2],
            extra: "",
        }
    }
}

// === impl Terms ===

impl Terms {
    /// The whole configuration.
    fn render(&self, node: IpAddr) -> String {
        let (router_id, keepalive) = (Lab::leaf_v4(0), HOLD_TIME / 4);
        let Self {
            import: [v4, v6],
            extra,
        } = self;
        format!(
            "router id {router_id};
protocol device {{}}
protocol kernel {{ ipv4 {{ import none; export all; }}; }}
protocol kernel {{ ipv6 {{ import none; export all; }}; }}
protocol bgp node {{
  local as {LEAF_ASN};
  neighbor {node} as {NODE_ASN};
  hold time {HOLD_TIME};
  keepalive time {keepalive};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  {extra}
  ipv4 {{ import {v4}; export none; }};
  ipv6 {{ import {v6}; export none; }};
}}
"
        )
    }
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

    /// Starts it on these terms.
    pub fn start_on(terms: &Terms, namespace: Namespace, node: IpAddr) -> Self {
        assert!(
            Path::new(BIRD).exists(),
            "BIRD is missing: these tests need {BIRD} (Debian package bird2)"
        );
        let directory = tempfile::tempdir().expect("a directory for the leaf");
        fs::write(directory.path().join("bird.conf"), terms.render(node)).expect("it is writable");
        Self {
            process: Self::spawn(&namespace, directory.path()),
            directory,
            namespace,
            node,
        }
    }

    /// Goes on under other terms.
    pub fn configure(&self, terms: &Terms) {
        let file = self.directory.path().join("bird.conf");
        fs::write(file, terms.render(self.node)).expect("it is writable");
        self.ask(&["configure"]);
    }

    fn ask(&self, words: &[&str]) -> String {
        let mut command = self.namespace.command("/usr/sbin/birdc");
        command.arg("-s").arg(Self::socket(self.directory.path()));
        run(command.args(words))
    }
}

impl Leaf for Bird {
    fn start(namespace: Namespace, node: IpAddr) -> Self {
        Self::start_on(&Terms::default(), namespace, node)
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
