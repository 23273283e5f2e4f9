use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::case::{Case, Kind};
use crate::outcome::{Outcome, written};
use crate::postgres::{PASSWORD, Postgres, USER};

/// The real go-ipam, in a small program.
pub struct GoIpam(PathBuf);

/// What it prints.
#[derive(Deserialize)]
struct Printed {
    pairs: usize,
    failed: usize,
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
}

// === impl GoIpam ===

impl GoIpam {
    /// Builds it; none, and a line that says so, where there is no Go.
    pub fn build() -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ipam/goipam");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("goipam");
        let built = Command::new("go")
            .current_dir(source)
            .args(["build", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg(".")
            .status();
        match built {
            Ok(status) if status.success() => Some(Self(program)),
            other => {
                println!("without go-ipam: it cannot be built here ({other:?})");
                None
            }
        }
    }

    /// Measures one case, in memory or on a server.
    pub fn run(
        &self,
        case: &Case,
        clients: usize,
        time: Duration,
        server: Option<&Postgres>,
    ) -> Outcome {
        let mut command = Command::new(&self.0);
        let (kind, length) = match case.kind {
            Kind::Address => ("ip", 0),
            Kind::Child { length, .. } => ("child", length),
            Kind::Prefix => ("prefix", 0),
        };
        command.args(["--case", kind, "--parent", &case.parent().to_string()]);
        command.args(["--length", &length.to_string()]);
        command.args(["--clients", &clients.to_string()]);
        command.args(["--seconds", &time.as_secs_f64().to_string()]);
        if let Some(server) = server {
            command.env("PGPASSWORD", PASSWORD);
            command.args(["--host", "127.0.0.1", "--user", USER, "--database", "go"]);
            command.args(["--port", &server.port().to_string()]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        serde_json::to_writer(&mut input, &case.taken_as_text()).unwrap();
        input.write_all(b"\n").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "go-ipam: {case}");
        let before = server.map(written);
        input.write_all(b"\n").unwrap();
        line.clear();
        output.read_line(&mut line).unwrap();
        assert!(child.wait().unwrap().success(), "go-ipam: {case}");
        let printed: Printed = serde_json::from_str(&line).unwrap();
        let micros = |micros: f64| Duration::from_secs_f64(micros / 1e6);
        Outcome {
            pairs: printed.pairs,
            failed: printed.failed,
            seconds: printed.seconds,
            p50: micros(printed.p50_us),
            p99: micros(printed.p99_us),
            bytes: server
                .zip(before)
                .map(|(server, before)| written(server) - before),
        }
    }
}
