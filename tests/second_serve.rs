//! What `serve` refuses before it starts anything.

mod support;

use std::{fs, net::TcpListener, process::Output, time::Duration};

use support::{Node, Role, Settings, metal_edge, run};

/// `serve` that is expected to refuse; its exit code and what it said.
fn refused_serve(node: &Node) -> (Option<i32>, String) {
    let (Output { status, .. }, stdout, stderr) = run(metal_edge()
        .args(["serve", "--config"])
        .arg(node.config_file()));
    (status.code(), stdout + &stderr)
}

#[tokio::test]
async fn a_second_serve_on_the_same_data_directory_is_refused() {
    let node = Node::start();
    let before = node.client(Role::Admin).list("/v1/tenant").await;

    // Elsewhere in everything but the data.
    let config = Settings::new().to_toml(&node.data_dir());
    let path = node.scratch().join("second.toml");
    fs::write(&path, config).expect("written");
    let (output, stdout, stderr) = run(metal_edge().args(["serve", "--config"]).arg(&path));

    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    let data_dir = node.data_dir().display().to_string();
    assert!(stderr.contains(&data_dir), "{stderr}");
    assert!(
        stderr.contains(&node.pid().to_string()) || stderr.contains("another"),
        "it does not say who holds the directory: {stderr}"
    );
    let after = node.client(Role::Admin).list("/v1/tenant").await;
    assert_eq!(after, before, "the first still serves");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let settings = Settings::new();
    let _holder = TcpListener::bind(settings.api).expect("free");
    let node = Node::prepare(settings.clone());
    let (code, said) = refused_serve(&node);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&settings.api.to_string()), "{said}");
}

/// Each is refused, naming file, line and key, and leaves no data behind.
#[test]
fn a_wrong_configuration_is_refused_before_anything_starts() {
    let cases = [
        ("unknown key", "health", "intervall = \"100ms\"", "interval"),
        ("wrong type", "health", "fall = \"two\"", "fall"),
        (
            "not a duration",
            "health",
            "interval = \"soon\"",
            "interval",
        ),
        ("not an address", "tls", "certificate = 5", "certificate"),
        (
            "host bits",
            "bgp",
            "asn = 4200000001\nrouter-id = \"192.0.2.9\"\nannounce = [\"192.0.2.1/24\"]",
            "announce",
        ),
        (
            "no such key file",
            "auth.hmac",
            "admin-key-file = \"/nonexistent/admin.key\"",
            "admin-key-file",
        ),
        (
            "certificate without key",
            "tls",
            "certificate = \"/nonexistent/tls.crt\"",
            "tls",
        ),
        (
            "duplicate peer",
            "bgp",
            "asn = 4200000001\nrouter-id = \"192.0.2.9\"\nannounce = [\"192.0.2.1/32\"]\n\
             peer = [{ address = \"192.0.2.3\", asn = 4210000001 }, \
             { address = \"192.0.2.3\", asn = 4210000001 }]",
            "peer",
        ),
    ];
    for (what, section, lines, key) in cases {
        let node = Node::prepare(Settings::new().with(section, lines));
        let (code, said) = refused_serve(&node);
        assert!(matches!(code, Some(1 | 2)), "{what}: {code:?} {said}");
        let file = node.config_file().display().to_string();
        assert!(said.contains(&file), "{what}: no file in: {said}");
        assert!(said.contains(key), "{what}: no key in: {said}");
        let text = fs::read_to_string(node.config_file()).expect("written");
        let first = lines.lines().next().expect("a line");
        let line = 1 + text.lines().position(|line| line == first).expect("there");
        let names_a_line = (line.saturating_sub(1)..=line + lines.lines().count()).any(|line| {
            said.contains(&format!(":{line}")) || said.contains(&format!("line {line}"))
        });
        assert!(names_a_line, "{what}: no line near {line} in: {said}");
        assert!(!node.data_dir().exists(), "{what}: something was started");
    }
}

#[test]
fn syntax_errors_name_the_line() {
    let node = Node::prepare(Settings::new());
    fs::write(node.config_file(), "partition = \"a\"\nnode = \n").expect("written");
    let (code, said) = refused_serve(&node);
    assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
    assert!(said.contains(&node.config_file().display().to_string()));
    assert!(said.contains('2'), "{said}");
}

#[test]
fn a_terminated_node_exits_with_0_and_starts_again() {
    let mut node = Node::with(
        Settings::new()
            .with("drain", "graceful-shutdown = \"0s\"")
            .with(
                "drain",
                format!("timeout = \"{}s\"", Duration::from_secs(5).as_secs()),
            ),
    );
    assert_eq!(node.stop(), Some(0), "{}", node.log());
    node.boot();
}
