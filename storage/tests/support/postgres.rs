//! A PostgreSQL of one's own: Debian's binaries, a data directory and a port of its own.
//!
//! It runs as the user `postgres` if the tests run as root, which PostgreSQL refuses. A shell
//! stands between: when this process ends, however that happens, the shell's input ends, and it
//! stops the server and removes the directory.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by tests, each of which uses a part"
)]

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// The role that owns everything.
pub const USER: &str = "metal";

/// Its password.
pub const PASSWORD: &str = "s3cret-of-metal";

/// Longer than a server takes to start, against hanging.
const HANG: Duration = Duration::from_secs(60);

/// Stops the server `$1` after a line or the end of its input; the line `keep` keeps the files.
const SHELL: &str = r#"
dir=$1; shift
"$@" >>"$dir/log" 2>&1 &
server=$!
read -r line
kill -QUIT $server 2>/dev/null
wait $server 2>/dev/null
[ "$line" = keep ] || rm -rf "$dir"
"#;

/// A running server. Dropping it stops it and removes its files.
#[derive(Debug)]
pub struct Postgres {
    dir: PathBuf,
    port: u16,
    settings: Vec<String>,
    /// The library that gives it a clock of its own.
    clock: Option<PathBuf>,
    shell: Option<Child>,
}

// === impl Postgres ===

impl Postgres {
    /// A server that does not wait for the disk: nothing here survives a loss of power, all of it
    /// a killed server.
    pub fn start() -> Self {
        Self::with(&["fsync=off"])
    }

    /// A server with these settings, `name=value`.
    pub fn with(settings: &[&str]) -> Self {
        Self::within(&std::env::temp_dir(), settings)
    }

    /// A server whose files are in this directory.
    pub fn within(parent: &Path, settings: &[&str]) -> Self {
        let mut server = Self::made(parent, settings);
        server.run();
        server
    }

    /// A server whose clock can be [stepped](Self::step_clock).
    pub fn with_clock(settings: &[&str]) -> Self {
        let folders = fs::read_dir("/usr/lib").unwrap();
        let mut libraries =
            folders.map(|folder| folder.unwrap().path().join("faketime/libfaketime.so.1"));
        let library = libraries.find(|library| library.exists());
        let mut server = Self::made(&std::env::temp_dir(), settings);
        server.clock = Some(library.expect("no libfaketime: install Debian's package faketime"));
        server.step_clock(0);
        server.run();
        server
    }

    /// Its files, and no server yet.
    fn made(parent: &Path, settings: &[&str]) -> Self {
        assert!(
            Path::new(BIN).join("postgres").exists(),
            "no PostgreSQL in {BIN}: install Debian's package postgresql-15"
        );
        let dir = tempfile::Builder::new()
            .prefix("metal-postgres-")
            .tempdir_in(parent)
            .unwrap()
            .keep();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        give(&dir);
        let password = dir.join("password");
        fs::write(&password, PASSWORD).unwrap();
        give(&password);
        // Hashing a password again and again is slow without optimization: it is sent.
        let made = command("initdb", &dir)
            .args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--auth-local=trust", "--auth-host=password"])
            .args(["--username", USER, "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(dir.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {made:?}");
        Self {
            dir,
            port: free_port(),
            settings: settings.iter().map(|s| (*s).to_owned()).collect(),
            clock: None,
            shell: None,
        }
    }

    /// Sets its clock so many seconds before or behind the true time, for all of its processes at
    /// once.
    pub fn step_clock(&self, seconds: i64) {
        // It may be read at any moment: never half.
        let new = self.write("clock.new", &format!("{seconds:+}"));
        fs::rename(new, self.dir.join("clock")).unwrap();
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its directory: `data/`, `log`, the socket. `data/` is the server's own.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The URL of one of its databases, with user and password.
    pub fn url(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}")
    }

    /// Runs statements in a database, as the owner of everything; gives what they print.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let output = command("psql", &self.dir)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--username", USER])
            .args(["--port", &self.port.to_string(), "--host"])
            .arg(&self.dir)
            .args(["--dbname", database, "--command", statements])
            .output()
            .unwrap();
        assert!(output.status.success(), "{statements}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes an empty database; gives its URL.
    pub fn create_database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// Makes a file that the server alone may read.
    pub fn write(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        give(&path);
        path
    }

    /// The process that all of its others belong to.
    pub fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }

    /// Sends a signal to that process: `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success(), "kill -s {signal} {pid}");
    }

    /// Stops it at once, as a crash would, and keeps its files.
    pub fn stop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            shell.stdin.take().unwrap().write_all(b"keep\n").unwrap();
            shell.wait().unwrap();
        }
    }

    /// Starts it again on the same port and files.
    pub fn run(&mut self) {
        let begun = Instant::now();
        while !self.try_run(begun) {}
    }

    /// False if processes of the server before are still about to end: then it refuses to start.
    fn try_run(&mut self, begun: Instant) -> bool {
        self.stop();
        let written = self.log().len();
        let mut server = command("sh", &self.dir);
        server.args(["-c", SHELL, "sh"]).arg(&self.dir);
        if let Some(library) = &self.clock {
            let set = |name: &str, value: &Path| format!("{name}={}", value.display());
            server.arg("env").arg(set("LD_PRELOAD", library));
            server.arg(set("FAKETIME_TIMESTAMP_FILE", &self.dir.join("clock")));
            // Only the time of day steps.
            server.args(["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]);
        }
        server.arg(Path::new(BIN).join("postgres"));
        server.arg("-D").arg(self.dir.join("data"));
        let port = format!("port={}", self.port);
        let sockets = format!("unix_socket_directories={}", self.dir.display());
        let fixed = [
            port.as_str(),
            sockets.as_str(),
            "listen_addresses=127.0.0.1",
            "max_connections=300",
            "shared_buffers=64MB",
        ];
        for setting in fixed.into_iter().chain(self.settings.iter().map(|s| &**s)) {
            server.args(["-c", setting]);
        }
        self.shell = Some(server.stdin(Stdio::piped()).spawn().unwrap());
        while !self.is_ready() {
            let log = self.log();
            assert!(begun.elapsed() < HANG, "it does not start: {log}");
            let new = log.get(written..).unwrap_or_default();
            if new.contains("pre-existing shared memory block") {
                return false;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "its readiness can only be asked for"
            )]
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Everything that it logged.
    fn log(&self) -> String {
        let bytes = fs::read(self.dir.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it takes connections.
    pub fn is_ready(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && command("pg_isready", &self.dir)
                .args(["--quiet", "--host", "127.0.0.1", "--port"])
                .arg(self.port.to_string())
                .status()
                .unwrap()
                .success()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        } else {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A program of PostgreSQL's or the system's, as the user that the server runs as.
fn command(program: &str, dir: &Path) -> Command {
    let own = Path::new(BIN).join(program);
    let mut command = Command::new(if own.exists() { own } else { program.into() });
    command.current_dir(dir).env("LC_ALL", "C");
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

/// Makes a file the server's.
fn give(path: &Path) {
    if let Some((user, group)) = unprivileged() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
    }
}

/// The user and group `postgres`, if this is root.
fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("the user postgres: install Debian's package postgresql-15");
    let mut numbers = line.split(':').skip(2).map(|n| n.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}

/// A free port below those that the system gives to clients, and below those of etcd in tests;
/// never the same twice.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(61);
    loop {
        let next = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 15_000 + u16::try_from(next % 6_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
