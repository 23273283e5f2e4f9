use std::{fmt, net::SocketAddr, process::Command};

use super::{options::Options, usage::Usage};

/// Connections of the load generator.
const CONNECTIONS: &str = "16";

/// One run of the load generator against one server.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub requests_per_second: f64,
    /// CPU of the server, user and system, in microseconds.
    pub cpu_per_request: f64,
    /// In milliseconds.
    pub p50: f64,
    /// In milliseconds.
    pub p99: f64,
}

// === impl Run ===

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8.0} req/s  {:6.2} µs CPU/req  p50 {:.2} ms  p99 {:.2} ms",
            self.requests_per_second, self.cpu_per_request, self.p50, self.p99
        )
    }
}

/// Loads `path` at `address` from `core` over HTTP/1.1 keep-alive, while the
/// server's process `pid` is watched.
pub fn run(
    address: SocketAddr,
    path: &str,
    headers: &[String],
    core: &str,
    options: &Options,
    pid: u32,
) -> Run {
    let mut command = Command::new("taskset");
    command.args(["-c", core, "wrk", "--latency", "-t1", "-c", CONNECTIONS]);
    command.arg(format!("-d{}s", options.seconds));
    for header in headers {
        command.args(["-H", header]);
    }
    command.arg(format!("https://{address}{path}"));

    let before = Usage::of(pid);
    let output = command.output().expect("wrk runs");
    let cpu_seconds = Usage::of(pid).since(&before);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "wrk: {text}");
    for complaint in ["Non-2xx", "Socket errors"] {
        assert!(
            !text.contains(complaint),
            "not every answer was 200:\n{text}"
        );
    }

    let word = |line: &str, index: usize| {
        text.lines()
            .map(str::trim)
            .find(|candidate| candidate.contains(line))
            .and_then(|found| found.split_whitespace().nth(index))
            .unwrap_or_else(|| panic!("no {line:?} in wrk's output:\n{text}"))
            .to_owned()
    };
    let requests: f64 = word("requests in", 0).parse().expect("a number");
    Run {
        requests_per_second: word("Requests/sec:", 1).parse().expect("a number"),
        cpu_per_request: cpu_seconds * 1e6 / requests,
        p50: milliseconds(&word("50%", 1)),
        p99: milliseconds(&word("99%", 1)),
    }
}

/// wrk writes `812.00us`, `1.20ms` or `2.00s`.
fn milliseconds(text: &str) -> f64 {
    let at = text.find(char::is_alphabetic).expect("a unit");
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().expect("a number");
    match unit {
        "us" => number / 1e3,
        "ms" => number,
        "s" => number * 1e3,
        other => panic!("unknown unit {other}"),
    }
}
