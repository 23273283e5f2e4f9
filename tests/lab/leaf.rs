//! A leaf switch: FRR's zebra and bgpd in a namespace.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::namespace::{Namespace, run};
use super::process::eventually;
use super::{Lab, RouteMonitor};

const DAEMONS: &str = "/usr/lib/frr";
const PATIENCE: Duration = Duration::from_secs(20);

/// Whom the leaf takes for a neighbour.
#[derive(Debug, Clone, Copy)]
pub enum RemoteAs {
    /// Any AS but its own.
    External,
    /// This AS.
    Exactly(u32),
}

/// How a leaf is set up.
#[derive(Debug, Clone)]
pub struct LeafConfig {
    pub asn: u32,
    pub node: RemoteAs,
    /// The session runs over IPv6.
    pub over_v6: bool,
    /// The session runs over the interface, which has link-local addresses alone.
    pub unnumbered: bool,
    /// The leaf runs bfdd, with a profile `lab` of 100 ms x 3.
    pub bfd: bool,
    /// Lines for `router bgp` besides.
    pub extra: Vec<String>,
}

/// A running leaf. Its daemons are killed, by their ids, when it is dropped.
pub struct Leaf {
    daemons: Vec<Child>,
    directory: TempDir,
    pub config: LeafConfig,
    pub namespace: Namespace,
}

// === impl LeafConfig ===

impl LeafConfig {
    /// A leaf as metal-stack has it: timers 2 and 8, any other AS, IPv4 and IPv6 unicast.
    pub fn new(asn: u32) -> Self {
        Self {
            asn,
            node: RemoteAs::External,
            over_v6: false,
            unnumbered: false,
            bfd: false,
            extra: Vec::new(),
        }
    }

    /// As metal-core writes it for SONiC and Cumulus, but for its route maps and VRFs.
    fn render_unnumbered(&self, index: usize, log: &Path) -> String {
        let (asn, extra) = (self.asn, self.extra.join("\n "));
        let (router_id, log) = (Lab::leaf_v4(index), log.display());
        format!(
            "log file {log} informational
router bgp {asn}
 bgp router-id {router_id}
 bgp bestpath as-path multipath-relax
 no bgp ebgp-requires-policy
 neighbor MACHINE peer-group
 neighbor MACHINE remote-as external
 neighbor MACHINE timers 2 8
 neighbor up0 interface peer-group MACHINE
 {extra}
 address-family ipv4 unicast
  neighbor MACHINE maximum-prefix 24000
 exit-address-family
 address-family ipv6 unicast
  neighbor MACHINE maximum-prefix 24000
  neighbor MACHINE activate
 exit-address-family
"
        )
    }

    fn render(&self, index: usize, log: &Path) -> String {
        if self.unnumbered {
            return self.render_unnumbered(index, log);
        }
        let node = match self.over_v6 {
            false => Lab::node_v4(index).to_string(),
            true => Lab::node_v6(index).to_string(),
        };
        let (asn, remote_as, extra) = (self.asn, self.node, self.extra.join("\n "));
        let (router_id, log) = (Lab::leaf_v4(index), log.display());
        format!(
            "log file {log} informational
router bgp {asn}
 bgp router-id {router_id}
 bgp log-neighbor-changes
 bgp bestpath as-path multipath-relax
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor {node} remote-as {remote_as}
 neighbor {node} timers 2 8
 neighbor {node} timers connect 1
 {extra}
 address-family ipv4 unicast
  neighbor {node} activate
 exit-address-family
 address-family ipv6 unicast
  neighbor {node} activate
 exit-address-family
"
        )
    }
}

impl fmt::Display for RemoteAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::External => f.write_str("external"),
            Self::Exactly(asn) => asn.fmt(f),
        }
    }
}

// === impl Leaf ===

impl Leaf {
    pub(super) fn start(namespace: Namespace, index: usize, config: &LeafConfig) -> Self {
        assert!(
            Path::new(DAEMONS).join("bgpd").exists(),
            "FRR is missing: these tests need {DAEMONS}/zebra and bgpd (Debian package frr)"
        );
        let directory = tempfile::tempdir().expect("a directory for the leaf");
        let log = directory.path().join("bgpd.log");
        fs::write(
            directory.path().join("bgpd.conf"),
            config.render(index, &log),
        )
        .expect("the leaf's directory is writable");
        let log = directory.path().join("zebra.log").display().to_string();
        fs::write(
            directory.path().join("zebra.conf"),
            format!(
                "log file {log}\ninterface up0\n ipv6 nd ra-interval 6\n no ipv6 nd suppress-ra\n"
            ),
        )
        .expect("the leaf's directory is writable");
        let profile = " detect-multiplier 3\n  receive-interval 100\n  transmit-interval 100";
        fs::write(
            directory.path().join("bfdd.conf"),
            format!("bfd\n profile lab\n {profile}\n"),
        )
        .expect("the leaf's directory is writable");
        // The daemons change to this user and keep the capabilities that they need.
        run(Command::new("chown")
            .args(["-R", "frr:frr"])
            .arg(directory.path()));
        let mut leaf = Self {
            daemons: Vec::new(),
            directory,
            config: config.clone(),
            namespace,
        };
        leaf.up();
        leaf
    }

    /// Starts the daemons, after [`Leaf::down`].
    pub fn up(&mut self) {
        for daemon in self.wanted() {
            let child = self.daemon(daemon);
            self.daemons.push(child);
            let socket = self.directory.path().join(format!("{daemon}.vty"));
            let socket_exists = || socket.exists().then_some(());
            eventually(&format!("{daemon} listens"), PATIENCE, socket_exists);
        }
        eventually("bgpd knows its configuration", PATIENCE, || {
            let summary = self.try_vtysh("show bgp summary json")?;
            summary.contains("peers").then_some(())
        });
    }

    /// Kills the daemons with SIGKILL; the kernel keeps their routes until they are back or the
    /// namespace is gone.
    pub fn down(&mut self) {
        for mut daemon in self.daemons.drain(..).rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        for daemon in self.wanted() {
            let _ = fs::remove_file(self.directory.path().join(format!("{daemon}.vty")));
        }
    }

    /// Sends `signal` to every daemon, for example to freeze the leaf.
    pub fn signal(&self, signal: Signal) {
        for daemon in &self.daemons {
            let pid = Pid::from_raw(i32::try_from(daemon.id()).expect("a pid fits"));
            kill(pid, signal).expect("the daemon was not waited for yet");
        }
    }

    /// In this order: bgpd is the last.
    fn wanted(&self) -> &'static [&'static str] {
        match self.config.bfd {
            false => &["zebra", "bgpd"],
            true => &["zebra", "bfdd", "bgpd"],
        }
    }

    /// Kills bgpd alone, so that zebra takes its routes out of the kernel.
    pub fn kill_bgpd(&mut self) {
        if let Some(mut bgpd) = self.daemons.pop() {
            let _ = bgpd.kill();
            let _ = bgpd.wait();
        }
    }

    /// Sends `signal` to bgpd alone.
    pub fn signal_bgpd(&mut self, signal: Signal) {
        let bgpd = self.daemons.last().expect("bgpd runs");
        let pid = Pid::from_raw(i32::try_from(bgpd.id()).expect("a pid fits"));
        kill(pid, signal).expect("bgpd was not waited for yet");
    }

    /// One command of FRR's shell; what it prints. Panics with its error if it fails.
    pub fn vtysh(&self, command: &str) -> String {
        run(&mut self.shell(command))
    }

    /// Configures bfdd, from inside its node `bfd`.
    pub fn bfd(&self, commands: &[&str]) {
        self.configure("bfdd", &[&["bfd"], commands].concat());
    }

    /// Configures bgpd.
    pub fn bgp(&self, commands: &[&str]) {
        self.configure("bgpd", commands);
    }

    fn configure(&self, daemon: &str, commands: &[&str]) {
        let mut shell = self.namespace.command("vtysh");
        shell.arg("--vty_socket").arg(self.directory.path());
        shell.arg("--config_dir").arg(self.directory.path());
        shell.args(["-d", daemon, "-c", "configure terminal"]);
        for command in commands {
            shell.args(["-c", command]);
        }
        run(&mut shell);
    }

    /// The same for commands that print JSON.
    pub fn json(&self, command: &str) -> serde_json::Value {
        let text = self.vtysh(command);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
    }

    /// What bgpd knows of `prefix`: the first path, or null.
    pub fn path(&self, prefix: &str) -> serde_json::Value {
        let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
        self.json(&format!("show bgp {family} unicast {prefix} json"))["paths"][0].clone()
    }

    /// What bgpd knows of its only neighbour.
    pub fn neighbor(&self) -> serde_json::Value {
        let neighbors = self.json("show bgp neighbors json");
        let first = neighbors.as_object().and_then(|all| all.values().next());
        first.cloned().unwrap_or_default()
    }

    /// How many UPDATE messages the neighbour has sent.
    pub fn updates_received(&self) -> u64 {
        let received = &self.neighbor()["messageStats"]["updatesRecv"];
        received.as_u64().expect("bgpd counts messages")
    }

    /// Starts reading the kernel's table.
    pub fn monitor(&self) -> RouteMonitor {
        RouteMonitor::start(&self.namespace)
    }

    /// bgpd's log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("bgpd.log")).unwrap_or_default()
    }

    fn daemon(&self, name: &str) -> Child {
        let directory = self.directory.path();
        let at = |file: String| directory.join(file);
        let output = fs::File::create(at(format!("{name}.out"))).expect("a file for its output");
        let errors = output.try_clone().expect("a second handle");
        let mut command = self.namespace.command(Path::new(DAEMONS).join(name));
        if name == "bfdd" {
            command.arg("--bfdctl").arg(at("bfdd.sock".to_owned()));
        }
        command
            .args(["-A", "127.0.0.1", "-P", "0"])
            .arg("-f")
            .arg(at(format!("{name}.conf")))
            .arg("-i")
            .arg(at(format!("{name}.pid")))
            .arg("-z")
            .arg(at("zserv.api".to_owned()))
            .arg("--vty_socket")
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"))
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = self.namespace.command("vtysh");
        shell.arg("--vty_socket").arg(self.directory.path());
        shell.arg("--config_dir").arg(self.directory.path());
        shell.args(["-d", "bgpd", "-c", command]);
        shell
    }

    fn try_vtysh(&self, command: &str) -> Option<String> {
        let output = self.shell(command).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        self.down();
    }
}
