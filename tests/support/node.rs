use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, StreamOwned};
use tempfile::TempDir;

use super::{Client, PATIENCE, Role, Settings, client_config};

/// A `metal-edge serve` with a data directory and loopback ports of its own.
pub struct Node {
    settings: Settings,
    directory: TempDir,
    child: Option<Child>,
}

// === impl Node ===

impl Node {
    /// Starts a node with defaults and waits until it answers.
    pub fn start() -> Self {
        Self::with(Settings::new())
    }

    /// Starts a node and waits until it answers.
    pub fn with(settings: Settings) -> Self {
        let mut node = Self::prepare(settings);
        node.boot();
        node
    }

    /// Writes the configuration, starts nothing.
    pub fn prepare(settings: Settings) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let node = Self {
            settings,
            directory,
            child: None,
        };
        let toml = node.settings.to_toml(&node.data_dir());
        fs::write(node.config_file(), toml).expect("the configuration is written");
        node
    }

    /// Trusts `ca` (PEM), for a node with a certificate of the test's own.
    pub fn trust(&self, ca: &str) {
        fs::write(self.scratch().join("trust.crt"), ca).expect("written");
    }

    /// Starts `serve` and waits until it answers.
    pub fn boot(&mut self) {
        assert!(self.child.is_none(), "the node runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("the log is opened");
        let child = metal_edge_behind(&self.settings.wrapper)
            .arg("serve")
            .arg("--config")
            .arg(self.config_file())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one more handle"))
            .stderr(log)
            .spawn()
            .expect("metal-edge is started");
        self.child = Some(child);
        self.wait_until_it_answers();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the signal is sent");
            child.wait().expect("the process is reaped");
        }
    }

    /// SIGTERM, then waits for the exit; its code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("the node runs");
        let pid = i32::try_from(child.id()).expect("a pid");
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGTERM,
        )
        .expect("the signal is sent");
        child.wait().expect("the process is reaped").code()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the node runs").id()
    }

    pub fn api(&self) -> SocketAddr {
        self.settings.api
    }

    pub fn admin(&self) -> SocketAddr {
        self.settings.admin
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A place for a test's own files beside the node's.
    pub fn scratch(&self) -> &Path {
        self.directory.path()
    }

    pub fn config_file(&self) -> PathBuf {
        self.directory.path().join("metal-edge.toml")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The CA that signed the node's certificate, PEM.
    pub fn ca(&self) -> String {
        fs::read_to_string(self.trust_file()).expect("the node has answered")
    }

    pub fn key(&self, role: Role) -> String {
        self.read(&format!("hmac-{role}.key")).trim().to_owned()
    }

    /// A client that prefers HTTP/2, as the server does.
    pub fn client(&self, role: Role) -> Client {
        self.client_with(role, self.tls(&["h2", "http/1.1"]))
    }

    pub fn client_with(&self, role: Role, tls: ClientConfig) -> Client {
        Client::new(self.api(), tls, role, &self.key(role))
    }

    /// Trusts the node's CA.
    pub fn tls(&self, alpn: &[&str]) -> ClientConfig {
        client_config(&self.ca(), alpn, ALL_VERSIONS)
    }

    fn read(&self, name: &str) -> String {
        let path = self.data_dir().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// No event crosses the process boundary here, so it asks in short steps.
    fn wait_until_it_answers(&mut self) {
        let start = Instant::now();
        // Commands find it by its file, which it writes last.
        let file = self.data_dir().join("node.json");
        while !(self.answers() && file.exists()) {
            let exited = self.child.as_mut().map(|child| child.try_wait());
            if let Some(Ok(Some(status))) = exited {
                self.child = None;
                panic!("serve exited with {status}:\n{}", self.log());
            }
            assert!(
                start.elapsed() < PATIENCE,
                "no answer in time:\n{}",
                self.log()
            );
            #[expect(clippy::disallowed_methods, reason = "not on a runtime of the product")]
            thread::sleep(Duration::from_millis(3));
        }
    }

    fn answers(&self) -> bool {
        let Ok(ca) = fs::read_to_string(self.trust_file()) else {
            return false;
        };
        if !ca.contains("END CERTIFICATE") {
            return false;
        }
        let ask = || -> std::io::Result<bool> {
            let tcp = TcpStream::connect(self.api())?;
            tcp.set_read_timeout(Some(PATIENCE))?;
            let config = Arc::new(client_config(&ca, &["http/1.1"], ALL_VERSIONS));
            let session = ClientConnection::new(config, self.api().ip().into())
                .map_err(std::io::Error::other)?;
            let mut stream = StreamOwned::new(session, tcp);
            write!(
                stream,
                "GET /v1/version HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.api()
            )?;
            let mut status = [0; 15];
            stream.read_exact(&mut status)?;
            Ok(&status == b"HTTP/1.1 200 OK")
        };
        ask().unwrap_or(false)
    }

    /// The CA of [`Node::trust`], else the one that the node made for itself.
    fn trust_file(&self) -> PathBuf {
        let own = self.scratch().join("trust.crt");
        if own.exists() {
            own
        } else {
            self.data_dir().join("ca.crt")
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- log of the node ---\n{}", self.log());
        }
    }
}

/// The binary under test, without a configuration from the environment.
pub fn metal_edge() -> Command {
    metal_edge_behind(&[])
}

fn metal_edge_behind(wrapper: &[String]) -> Command {
    let binary = env!("CARGO_BIN_EXE_metal-edge");
    let mut words = wrapper.iter().map(String::as_str).chain([binary]);
    let mut command = Command::new(words.next().expect("the binary at least"));
    command.args(words);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("METAL_EDGE_") {
            command.env_remove(name);
        }
    }
    command
}
