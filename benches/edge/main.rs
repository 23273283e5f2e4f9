//! What a request costs: metal-edge beside nginx, which serves the same bytes
//! from memory over TLS with the same certificate.
//!
//! Server and load generator are pinned to a core each; runs alternate between
//! the two servers, so that what else the machine does hits both. The ratios
//! hold elsewhere, the absolute figures do not. Nothing is asserted but that
//! the right server answered every request.
//!
//! `cargo bench --bench edge -- [--seconds N] [--rounds N] [--only nginx]`

#[path = "../../tests/anycast/edge_node.rs"]
#[expect(dead_code, reason = "a benchmark starts and kills")]
mod edge_node;
#[path = "../../tests/lab/mod.rs"]
mod lab;
#[path = "../../tests/support/mod.rs"]
mod support;

mod announced;
mod cold_start;
mod nginx;
mod options;
mod report;
mod usage;
mod wrk;

use std::{process::ExitCode, thread, time::Duration};

use serde_json::json;

use announced::{LEAF_ASN, PATIENCE};
use nginx::Nginx;
use options::{Only, Options};
use report::Comparison;
use support::{Answer, Client, Node, Role, Settings};
use usage::Usage;

/// The server's core and the load generator's.
const CORES: [&str; 2] = ["0", "1"];
const PATHS: [(&str, &str); 2] = [
    ("GET /v1/size/{id}", "/v1/size/n1-medium-x86"),
    ("GET /v1/health", "/v1/health"),
];

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    for program in ["wrk", "nginx", "taskset"] {
        if !usage::is_installed(program) {
            eprintln!("{program} is missing: run tests/install.sh packages");
            return ExitCode::FAILURE;
        }
    }
    match options.only {
        Some(Only::Nginx) => nginx_alone(&options),
        None => compare(&options),
    }
    ExitCode::SUCCESS
}

fn compare(options: &Options) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    cold_start::measure(options);
    announced::measure(options);

    let mut settings = Settings::new().with("log", "level = \"warn\"");
    settings.wrapper = pinned(CORES[0]);
    let node = Node::with(settings);
    let client = node.client(Role::Admin);
    let bodies = runtime.block_on(prepare(&client));
    let tls = [
        node.data_dir().join("tls.crt"),
        node.data_dir().join("tls.key"),
    ];
    let nginx = Nginx::start(&tls, &bodies, CORES[0]);

    // Who answers where, byte for byte.
    let beside = Client::new(
        nginx.address(),
        node.tls(&["http/1.1"]),
        Role::Admin,
        &node.key(Role::Admin),
    );
    for (path, body) in &bodies {
        let [ours, theirs] = [&client, &beside].map(|client| runtime.block_on(client.get(path)));
        assert!(is_metal_edge(&ours), "not metal-edge: {ours:?}");
        assert!(Nginx::answered(&theirs), "not nginx: {theirs:?}");
        assert_eq!(theirs.text(), *body, "nginx serves other bytes");
    }

    let idle = Usage::of(node.pid());
    #[expect(clippy::disallowed_methods, reason = "an idle second is measured")]
    thread::sleep(Duration::from_secs(3));
    let idle = Usage::of(node.pid()).since(&idle) / 3.0;

    let mut comparisons: Vec<Comparison> = PATHS.map(|(name, _)| Comparison::new(name)).into();
    for round in 0..options.rounds {
        for (comparison, (_, path)) in comparisons.iter_mut().zip(PATHS) {
            // Signed just before each run: a signature of the role admin is good for 90 s.
            let headers = client
                .sign("GET")
                .headers()
                .map(|(n, v)| format!("{n}: {v}"));
            let ours = || wrk::run(node.api(), path, &headers, CORES[1], options, node.pid());
            let theirs = || {
                wrk::run(
                    nginx.address(),
                    path,
                    &headers,
                    CORES[1],
                    options,
                    nginx.pid(),
                )
            };
            if round % 2 == 0 {
                comparison.add(ours(), theirs());
            } else {
                let theirs = theirs();
                comparison.add(ours(), theirs);
            }
        }
    }
    report::print(&comparisons, options);
    println!();
    report::memory("metal-edge", node.pid());
    report::memory("nginx", nginx.pid());
    println!("metal-edge idle: {:.2} % of a core", idle * 100.0);
}

/// Proves the harness where there is no metal-edge.
fn nginx_alone(options: &Options) {
    let authority = support::Authority::new();
    let leaf = authority.issue("bench.example");
    let directory = tempfile::tempdir().expect("a directory");
    let tls = [("tls.crt", &leaf.certificate), ("tls.key", &leaf.key)].map(|(name, text)| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    });
    let bodies = PATHS.map(|(_, path)| (path.to_owned(), "{\"a\":\"b\"}".repeat(40)));
    let nginx = Nginx::start(&tls, &bodies, CORES[0]);
    for (name, path) in PATHS {
        let run = wrk::run(nginx.address(), path, &[], CORES[1], options, nginx.pid());
        println!("nginx {name}: {run}");
    }
    report::memory("nginx", nginx.pid());
}

/// Stores a size; the paths to ask for, with the bodies that are answered.
async fn prepare(client: &Client) -> Vec<(String, String)> {
    let size = json!({
        "id": "n1-medium-x86",
        "name": "n1-medium-x86",
        "description": "One socket, 256 GiB, two NVMe disks",
        "constraints": [
            { "type": "cores", "min": 24, "max": 24 },
            { "type": "memory", "min": 250_000_000_000_u64, "max": 280_000_000_000_u64 },
            { "type": "storage", "min": 1_500_000_000_000_u64, "max": 2_500_000_000_000_u64 },
        ],
    });
    let created = client.put("/v1/size", size).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let mut bodies = Vec::new();
    for (_, path) in PATHS {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        bodies.push((path.to_owned(), answer.text()));
    }
    bodies
}

fn is_metal_edge(answer: &Answer) -> bool {
    answer.status == 200 && answer.header("x-request-id").is_some()
}

fn pinned(core: &str) -> Vec<String> {
    ["taskset", "-c", core].map(str::to_owned).into()
}
