//! The example of the library as a process in a lab.
#![allow(dead_code, reason = "every test takes the part that it needs")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{self, ANYCAST_V4, ANYCAST_V6, Lab, Moment, Process};

pub const PATIENCE: Duration = Duration::from_secs(30);
pub const NODE_ASN: &str = "4200000001";
pub const LEAF_ASN: u32 = 4_210_000_001;

/// The example of the library, inside the node's namespace.
pub struct Speaker {
    pub process: Process,
}

// === impl Speaker ===

impl Speaker {
    /// Peers with every leaf of `lab`, which is to be in AS `leaf_asn`.
    pub fn start(lab: &Lab, leaf_asn: &str) -> Self {
        let over_v6 = |index: usize| lab.leaves[index].config.over_v6;
        let peers: Vec<String> = (0..lab.leaves.len())
            .map(|index| match over_v6(index) {
                true => Lab::leaf_v6(index).to_string(),
                false => Lab::leaf_v4(index).to_string(),
            })
            .collect();
        Self::start_with(lab, &peers.join(","), leaf_asn)
    }

    /// Peers with these addresses.
    pub fn start_with(lab: &Lab, peers: &str, leaf_asn: &str) -> Self {
        let arguments = [
            NODE_ASN, "10.0.0.1", peers, leaf_asn, ANYCAST_V4, ANYCAST_V6,
        ];
        let mut command = lab.node.command(&*EXAMPLE);
        Self {
            process: Process::spawn(command.args(arguments)),
        }
    }

    /// Gives a command and waits until it is taken; the moment before.
    pub fn tell(&mut self, command: &str) -> Moment {
        let at = lab::now();
        self.process.say(command);
        assert_eq!(self.process.hear(PATIENCE), "ok");
        at
    }

    pub fn status(&mut self) -> Value {
        self.process.say("status");
        let line = self.process.hear(PATIENCE);
        serde_json::from_str(&line).expect("the status is JSON")
    }

    /// Waits until `count` sessions are established.
    pub fn established(&mut self, count: usize) {
        let up = |peer: &&Value| peer["state"] == "Established";
        lab::eventually("sessions are established", PATIENCE, || {
            let status = self.status();
            let peers = status["peers"].as_array().expect("peers are a list");
            (peers.iter().filter(up).count() == count).then_some(())
        });
    }

    /// Waits for a fault of the first peer that is not the leaf's start.
    pub fn error(&mut self) -> String {
        lab::eventually("an error is shown", PATIENCE, || {
            let error = self.status()["peers"][0]["last_error"].as_str()?.to_owned();
            error.contains("AS").then_some(error)
        })
    }
}

/// The example, built as the tests are. `cargo test --test frr` alone would not build it.
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let me = std::env::current_exe().expect("a test has a file");
    let directory = me.ancestors().nth(2).expect("target/PROFILE/deps/frr");
    let profile = match directory.ends_with("debug") {
        true => "dev",
        false => "release",
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "metal-bgp"])
        .args([
            "--example",
            "announce",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(directory.parent().expect("target/PROFILE"))
        .status();
    assert!(status.expect("cargo runs").success());
    directory.join("examples/announce")
});
