use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::support::{Answer, PATIENCE, free_address};

/// One nginx process without a master, on loopback, that answers fixed bodies
/// from its configuration, so from memory.
pub struct Nginx {
    address: SocketAddr,
    directory: TempDir,
    child: Child,
}

// === impl Nginx ===

impl Nginx {
    /// `tls` are certificate and key; `bodies` are paths and what they answer.
    pub fn start(tls: &[PathBuf; 2], bodies: &[(String, String)], core: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let address = free_address();
        let home = directory.path().display();
        let mut locations = String::new();
        for (path, body) in bodies {
            let plain = !body.contains(['\'', '\\', '$']);
            assert!(plain, "{body} needs quoting");
            writeln!(
                locations,
                "location = {path} {{ default_type application/json; return 200 '{body}'; }}"
            )
            .expect("a string takes everything");
        }
        let [certificate, key] = tls.each_ref().map(|path| path.display());
        let config = format!(
            "daemon off; master_process off; worker_processes 1;
            pid {home}/pid; error_log {home}/error.log;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; keepalive_requests 1000000000; keepalive_timeout 60s;
                client_body_temp_path {home}/a; proxy_temp_path {home}/b;
                fastcgi_temp_path {home}/c; uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;
                server {{
                    listen {address} ssl;
                    ssl_certificate {certificate}; ssl_certificate_key {key};
                    ssl_protocols TLSv1.2 TLSv1.3;
                    {locations}
                }}
            }}"
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, config).expect("written");
        let child = Command::new("taskset")
            .args(["-c", core, "nginx", "-p"])
            .arg(directory.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is started");
        let nginx = Self {
            address,
            directory,
            child,
        };
        nginx.wait_until_it_listens();
        nginx
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether nginx gave this answer.
    pub fn answered(answer: &Answer) -> bool {
        let server = answer.header("server").unwrap_or_default();
        answer.status == 200 && server.starts_with("nginx")
    }

    fn wait_until_it_listens(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = || fs::read_to_string(self.directory.path().join("error.log"));
            assert!(start.elapsed() < PATIENCE, "nginx: {:?}", log());
            #[expect(
                clippy::disallowed_methods,
                reason = "no event crosses the process boundary"
            )]
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
