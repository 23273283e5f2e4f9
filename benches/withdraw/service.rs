use std::process::Stdio;

use tempfile::TempDir;

use super::{
    PATIENCE,
    lab::{Lab, Process, eventually},
};

/// What the health checks ask for. Without a fault it answers within a
/// millisecond; once the service is dead, nobody listens.
pub const PROBE: &str = "curl -sf -m 1 -o /dev/null http://192.0.2.1:8080/";

/// The service behind the anycast address of the programs that have none of
/// their own: a small web server in the node's namespace. Killed when dropped.
pub struct Service {
    process: Process,
    /// What it serves.
    _directory: TempDir,
}

// === impl Service ===

impl Service {
    /// Returns once it answers the probe.
    pub fn start(lab: &Lab) -> Self {
        let directory = tempfile::tempdir().expect("an empty directory");
        let script = "exec python3 -m http.server 8080 --bind 192.0.2.1 2>/dev/null";
        let mut command = lab.node.command("sh");
        command.args(["-c", script]).current_dir(directory.path());
        let process = Process::spawn(&mut command);
        eventually("the service answers", PATIENCE, || {
            let mut probe = lab.node.command("sh");
            let probe = probe.args(["-c", PROBE]).stderr(Stdio::null()).status();
            probe.ok()?.success().then_some(())
        });
        Self {
            process,
            _directory: directory,
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
