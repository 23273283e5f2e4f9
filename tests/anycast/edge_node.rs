//! `metal-edge` in the node's namespace.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::lab::{Lab, Namespace, eventually};
use super::{LEAF_ASN, PATIENCE};

/// The AS of the node.
pub const NODE_ASN: u32 = 4_200_000_001;

/// A node: its files, and its process while it runs.
pub struct EdgeNode {
    directory: TempDir,
    /// On a file system of the test's own where one is mounted there.
    pub data_dir: PathBuf,
    child: Option<Child>,
    namespace: String,
}

// === impl EdgeNode ===

impl EdgeNode {
    /// Writes a configuration that announces both anycast addresses to every
    /// leaf, with `settings` (section, line) besides; those of `bgp.peer` are for
    /// each leaf.
    pub fn prepare(lab: &Lab, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data_dir = directory.path().join("data");
        let node = Self {
            data_dir,
            child: None,
            namespace: lab.node.name().to_owned(),
            directory,
        };
        fs::write(node.config(), node.toml(lab, settings)).expect("written");
        node
    }

    /// Starts `serve`. SIGXFSZ is ignored, so that a test can take the
    /// process's files away with a limit.
    pub fn start(&mut self, lab: &Lab) {
        self.start_with(lab, &[]);
    }

    /// The same without a capability, as `capabilities(7)` names it.
    pub fn start_without(&mut self, lab: &Lab, capability: &str) {
        let script = format!(
            "trap '' XFSZ; exec setpriv --bounding-set -{0} --inh-caps -{0} \"$@\"",
            capability.trim_start_matches("cap_")
        );
        self.start_in(lab, &script, &[]);
    }

    /// The same with more arguments.
    pub fn start_with(&mut self, lab: &Lab, arguments: &[&str]) {
        self.start_in(lab, "trap '' XFSZ; exec \"$@\"", arguments);
    }

    fn start_in(&mut self, lab: &Lab, script: &str, arguments: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a log file");
        let mut command = self.command(&lab.node, "sh");
        command
            .args(["-c", script, "sh"])
            .arg(env!("CARGO_BIN_EXE_metal-edge"))
            .arg("serve")
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one more handle"))
            .stderr(log);
        self.child = Some(command.spawn().expect("metal-edge starts"));
    }

    /// A command in a namespace, without this machine's configuration.
    pub fn command(&self, namespace: &Namespace, program: impl AsRef<Path>) -> Command {
        let mut command = namespace.command(program.as_ref());
        command.env("HOME", self.directory.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("METAL_EDGE_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a subcommand of the node's command line on the node.
    pub fn cli(&self, lab: &Lab, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self
            .command(&lab.node, env!("CARGO_BIN_EXE_metal-edge"))
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .output()
            .expect("metal-edge runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.code(), text)
    }

    /// What `status -o json` says; nothing while the node does not answer.
    pub fn status(&self, lab: &Lab) -> Option<Value> {
        let (_, text) = self.cli(lab, &["status", "-o", "json"]);
        serde_json::from_str(&text).ok()
    }

    /// The process that serves, not its guard.
    pub fn serving_pid(&self) -> Pid {
        let text = eventually("node.json is there", PATIENCE, || {
            let text = fs::read_to_string(self.data_dir.join("node.json")).ok()?;
            serde_json::from_str::<Value>(&text).ok()
        });
        let pid = text["pid"].as_i64().expect("a pid");
        Pid::from_raw(i32::try_from(pid).expect("a pid"))
    }

    /// The process that was started.
    pub fn guard_pid(&self) -> Pid {
        let id = self.child.as_ref().expect("it runs").id();
        Pid::from_raw(i32::try_from(id).expect("a pid"))
    }

    /// `kill -9` of the process that was started; the serving one dies with it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A process that ended by itself cannot be killed any more.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM to the process that was started.
    pub fn terminate(&self) {
        kill(self.guard_pid(), Signal::SIGTERM).expect("it runs");
    }

    /// Waits for the end of the process that was started; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let child = self.child.as_mut().expect("it runs");
        let status = eventually("metal-edge ends", PATIENCE, || {
            child.try_wait().expect("our child")
        });
        self.child = None;
        status.code()
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("metal-edge.toml")
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The namespace it runs in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn toml(&self, lab: &Lab, settings: &[(&str, &str)]) -> String {
        let section = |name: &str| -> String {
            let lines = settings.iter().filter(|(section, _)| *section == name);
            lines.map(|(_, line)| format!("{line}\n")).collect()
        };
        let mut toml = format!(
            "partition = \"fra\"\nnode = \"fra-1\"\ndata-dir = \"{}\"\n\n\
             [listen]\napi = [\"192.0.2.1:443\", \"[2001:db8::1]:443\"]\n\
             admin = \"127.0.0.1:8081\"\n{}\n[health]\n{}\n[drain]\n{}\n\
             [bgp]\nasn = {NODE_ASN}\nrouter-id = \"10.99.0.1\"\n\
             announce = [\"192.0.2.1/32\", \"2001:db8::1/128\"]\n{}",
            self.data_dir.display(),
            section("listen"),
            section("health"),
            section("drain"),
            section("bgp"),
        );
        let through_daemon = settings
            .iter()
            .any(|(_, line)| line.starts_with("daemon = "));
        for index in (0..lab.leaves.len()).filter(|_| !through_daemon) {
            let peer = match lab.leaves[index].config.unnumbered {
                false => format!("address = \"{}\"", Lab::leaf_v4(index)),
                true => format!("interface = \"{}\"", Lab::node_interface(index)),
            };
            toml += &format!(
                "\n[[bgp.peer]]\n{peer}\nasn = {LEAF_ASN}\nhold-time = \"8s\"\n{}",
                section("bgp.peer")
            );
        }
        toml
    }
}

impl Drop for EdgeNode {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the node ---\n{}", self.log());
        }
    }
}
