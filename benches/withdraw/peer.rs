use std::{fs, path::Path, process::Command};

use nix::unistd::Pid;
use tempfile::TempDir;

use super::{
    announcer::Announcer,
    lab::{Lab, Process, run},
    service::{PROBE, Service},
    tree::Tree,
};

/// How another program is run. Commands are lines for a shell that runs in the
/// program's own directory.
pub struct Recipe {
    pub name: &'static str,
    /// Its executable, by which it is found to be installed.
    pub executable: &'static str,
    /// Whether it speaks BFD.
    pub bfd: bool,
    /// Name and content of its configuration; whether BFD is wanted.
    pub config: fn(directory: &Path, bfd: bool) -> (&'static str, String),
    /// Starts the daemon in the foreground.
    pub daemon: &'static str,
    /// Announces and withdraws. Where there is none for announcing, the daemon
    /// runs a health checker of its own.
    pub announce: Option<&'static str>,
    pub withdraw: &'static str,
}

/// Another program, with its health checker and the service.
pub struct Peer {
    recipe: Recipe,
    directory: TempDir,
    service: Option<Service>,
    processes: Vec<Process>,
}

// === impl Recipe ===

impl Recipe {
    /// A loop that asks the service once a second, and announces or withdraws
    /// by a command at the first answer that differs. It tries again where the
    /// command fails, as it does until the daemon listens.
    fn checker(&self) -> Option<String> {
        let (announce, withdraw) = (self.announce?, self.withdraw);
        Some(format!(
            "was=down
while :; do
  now=down
  ./probe && now=up
  if [ $now != $was ]; then
    if [ $now = up ]; then {announce}; else {withdraw}; fi >/dev/null 2>&1 && was=$now
  fi
  sleep 1
done
"
        ))
    }
}

// === impl Peer ===

impl Peer {
    pub fn new(recipe: Recipe, bfd: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (name, config) = (recipe.config)(directory.path(), bfd);
        let write = |name: &str, text: &str| {
            fs::write(directory.path().join(name), text).expect("it is writable");
        };
        write(name, &config);
        write("probe", &format!("#!/bin/sh\nexec {PROBE}\n"));
        run(Command::new("chmod")
            .arg("+x")
            .arg(directory.path().join("probe")));
        Self {
            recipe,
            directory,
            service: None,
            processes: Vec::new(),
        }
    }

    fn shell(&self, lab: &Lab, script: &str) -> Command {
        let mut command = lab.node.command("sh");
        command
            .args(["-c", script])
            .current_dir(self.directory.path());
        command
    }
}

impl Announcer for Peer {
    fn name(&self) -> &'static str {
        self.recipe.name
    }

    fn prepare(&mut self, lab: &Lab) {
        self.service = None;
        self.service = Some(Service::start(lab));
    }

    fn start(&mut self, lab: &Lab) {
        let daemon = format!("exec {} 2>daemon.log", self.recipe.daemon);
        self.processes
            .push(Process::spawn(&mut self.shell(lab, &daemon)));
        if let Some(checker) = self.recipe.checker() {
            self.processes
                .push(Process::spawn(&mut self.shell(lab, &checker)));
        }
    }

    fn withdraw(&mut self, lab: &Lab) {
        run(&mut self.shell(lab, self.recipe.withdraw));
    }

    fn fail(&mut self) {
        self.service.as_mut().expect("it was prepared").kill();
    }

    fn daemon(&self) -> Pid {
        let daemon = self.processes.first().expect("it runs");
        Pid::from_raw(i32::try_from(daemon.id()).expect("a pid fits"))
    }

    fn processes(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    fn stop(&mut self, _: &Lab) {
        Tree::of(&self.processes()).kill();
        self.processes.clear();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        Tree::of(&self.processes()).kill();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("daemon.log"));
            eprintln!(
                "--- log of {} ---\n{}",
                self.name(),
                log.unwrap_or_default()
            );
        }
    }
}
