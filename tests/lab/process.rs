//! Processes that end with the lab.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running process that can be talked to line by line. Killed, by its id, when dropped.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

// === impl Process ===

impl Process {
    /// Starts `command` with pipes for input and output; errors go where the test's go.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = child.stdout.take().expect("output was asked for");
        let (sender, lines) = sync_channel(1024);
        // Ends with the process, which ends with `self`.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // A full queue means that nobody reads this process: drop what it says.
                let _ = sender.try_send(line);
            }
        });
        Self { child, lines }
    }

    /// The process id: the program's own, also inside a namespace.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line to its input.
    pub fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("input was asked for");
        writeln!(stdin, "{line}").expect("the process reads its input");
    }

    /// The next line of its output. Panics after `patience`.
    pub fn hear(&mut self, patience: Duration) -> String {
        let line = self.lines.recv_timeout(patience);
        line.unwrap_or_else(|error| panic!("no line from process {}: {error}", self.id()))
    }

    /// Sends `signal` to it alone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.id()).expect("a pid fits"));
        kill(pid, signal).expect("the process was not waited for yet");
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Closes its input and waits for its end. Panics after `patience`.
    pub fn finish(&mut self, patience: Duration) -> ExitStatus {
        drop(self.child.stdin.take());
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < end, "process {} does not end", self.id());
            pause();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until `check` gives something. Panics with `what` after `patience`.
pub fn eventually<T>(what: &str, patience: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(Instant::now() < end, "not within {patience:?}: {what}");
        pause();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "polls another process, off any runtime"
)]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
