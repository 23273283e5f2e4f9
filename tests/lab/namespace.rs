//! Network namespaces, made with `ip`.

use std::path::Path;
use std::process::{Command, Output};

/// What every name begins with; the process id follows.
pub const PREFIX: &str = "mlab";

/// A network namespace with `lo` up and forwarding on. Gone when dropped.
pub struct Namespace {
    name: String,
}

// === impl Namespace ===

impl Namespace {
    /// Makes one. The name must be free.
    pub fn new(name: &str) -> Self {
        ip(&["netns", "add", name]);
        let namespace = Self {
            name: name.to_owned(),
        };
        for (file, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("ipv6/conf/default/accept_dad", "0"),
            ("ipv4/fib_multipath_hash_policy", "1"),
        ] {
            namespace.set(file, value);
        }
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets a parameter of the kernel, a file below `/proc/sys/net`.
    pub fn set(&self, file: &str, value: &str) {
        let write = format!("echo {value} > /proc/sys/net/{file}");
        run(self.command("sh").args(["-c", &write]));
    }

    /// A command that runs `program` inside, as the process that is spawned (`ip netns exec`
    /// replaces itself).
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// `ip` with `arguments` inside; its standard output. Panics with its error if it fails.
    pub fn ip(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments);
        ip(&all)
    }

    /// The kernel's routes to `prefix`, as text; empty if there is none.
    pub fn routes(&self, prefix: &str) -> String {
        let family = if prefix.contains(':') { "-6" } else { "-4" };
        self.ip(&[family, "route", "show", "exact", prefix])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
    }
}

/// `ip` with `arguments`; its standard output. Panics with its error if it fails.
pub fn ip(arguments: &[&str]) -> String {
    run(Command::new("ip").args(arguments))
}

/// Runs `command` to its end; its standard output. Panics with its error if it fails.
pub fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        status.success(),
        "{command:?}: {status}: {}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8_lossy(&stdout).into_owned()
}

/// Removes namespaces that a killed test process left behind.
pub fn remove_stale() {
    for line in ip(&["netns", "list"]).lines() {
        let Some(name) = line.split_whitespace().next() else {
            continue;
        };
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        let alive = |pid: &str| Path::new("/proc").join(pid).exists();
        if owner.is_some_and(|pid| pid.parse::<u32>().is_ok() && !alive(pid)) {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}
