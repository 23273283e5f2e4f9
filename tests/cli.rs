//! The command line beside a running node, and without one.

mod support;

use std::{path::Path, process::Command};

use serde_json::Value;
use support::{Node, Role, metal_edge, run};

/// Exit code, standard output and standard error of `metal-edge ARGUMENTS`.
fn said(arguments: &[&str], data_dir: &Path) -> (Option<i32>, String, String) {
    let (output, stdout, stderr) =
        run(metal_edge().args(arguments).arg("--data-dir").arg(data_dir));
    (output.status.code(), stdout, stderr)
}

#[test]
fn the_lines_of_env_point_a_shell_at_the_running_node() {
    let node = Node::start();
    for (role, name, kind) in [
        (Role::Admin, "admin", "Metal-Admin"),
        (Role::Edit, "edit", "Metal-Edit"),
        (Role::View, "view", "Metal-View"),
    ] {
        let (code, lines, stderr) = said(&["env", "--role", name], &node.data_dir());
        assert_eq!(code, Some(0), "{stderr}");
        let show = "printf '%s\\n' \"$METALCTL_API_URL\" \"$METALCTL_HMAC\" \
                    \"$METALCTL_HMAC_AUTH_TYPE\"; cat \"$SSL_CERT_FILE\"";
        let (_, shown, _) = run(Command::new("sh").arg("-c").arg(format!("{lines}{show}")));
        let mut shown = shown.lines();
        assert_eq!(
            shown.next(),
            Some(format!("https://{}", node.api()).as_str())
        );
        assert_eq!(shown.next(), Some(node.key(role).as_str()));
        assert_eq!(shown.next(), Some(kind));
        let bundle = shown.collect::<Vec<_>>().join("\n");
        assert!(
            bundle.contains(node.ca().trim()),
            "the node's CA is trusted"
        );
    }
}

#[test]
fn status_exits_with_3_while_the_node_is_drained_and_0_again_after_undo() {
    let node = Node::start();
    let dir = node.data_dir();
    until_healthy(&dir);

    let (code, _, stderr) = said(&["drain"], &dir);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, text, _) = said(&["status"], &dir);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("verdict       drained"), "{text}");

    let (code, _, stderr) = said(&["drain", "--undo"], &dir);
    assert_eq!(code, Some(0), "{stderr}");
    until_healthy(&dir);
}

#[test]
fn check_sees_what_the_running_node_holds_and_finds_nothing_wrong() {
    let node = Node::start();
    let (output, stdout, stderr) = run(metal_edge()
        .args(["check", "-o", "json", "--config"])
        .arg(node.config_file()));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.contains(&format!("{} is held by the running node", node.api())));
    let document: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(document["ok"], true);
    let groups = document["groups"].as_array().expect("groups");
    let names: Vec<_> = groups.iter().map(|group| group["name"].clone()).collect();
    let wanted = [
        "configuration",
        "addresses",
        "ports",
        "certificate",
        "store",
        "peers",
        "clock",
        "file descriptors",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn each_failed_check_names_its_cause_and_its_fix() {
    let dir = tempfile::tempdir().expect("a directory");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("free");
    let taken = holder.local_addr().expect("bound").to_string();
    let (output, text, _) = run(metal_edge()
        .args(["check", "--data-dir"])
        .arg(dir.path())
        .env("METAL_EDGE_LISTEN_API", format!("{taken},192.0.2.77:1443"))
        .env("METAL_EDGE_LISTEN_MAX_CONNECTIONS", "1000000"));
    assert_eq!(output.status.code(), Some(1), "{text}");
    for wanted in [
        "FAIL  192.0.2.77 is on no interface",
        "fix: ip address add 192.0.2.77/32 dev lo",
        &format!("FAIL  {taken}\n        cause: cannot be bound: "),
        "fix: find who holds it: ss -ltnp",
        "ok    192.0.2.77:1443 is free",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
    }
}

#[test]
fn without_a_node_the_commands_say_so_and_how_to_start_one() {
    let dir = tempfile::tempdir().expect("a directory");
    for command in ["env", "status", "drain"] {
        let (code, stdout, stderr) = said(&[command], dir.path());
        assert_eq!(code, Some(1));
        assert_eq!(stdout, "", "data alone goes to standard output");
        assert!(stderr.contains("no node runs on"), "{stderr}");
        assert!(
            stderr.contains("fix: start it with `metal-edge serve`"),
            "{stderr}"
        );
    }
}

#[test]
fn usage_errors_exit_with_2_and_a_bad_configuration_with_1() {
    let (output, _, stderr) = run(metal_edge().args(["status", "--bogus"]));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let (output, _, stderr) = run(metal_edge()
        .args(["config", "check"])
        .env("METAL_EDGE_LISTEN_ADMIN", "0.0.0.0:8081")
        .env("METAL_EDGE_PARTITON", "x"));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("METAL_EDGE_LISTEN_ADMIN: listen.admin: 0.0.0.0 is not a loopback"));
    assert!(
        stderr.contains("did you mean METAL_EDGE_PARTITION?"),
        "{stderr}"
    );
}

#[test]
fn completions_are_printed_for_the_common_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let (output, script, _) = run(metal_edge().args(["completions", shell]));
        assert!(output.status.success());
        assert!(script.contains("drain"), "{shell}");
    }
}

/// Asks until the verdict is healthy.
fn until_healthy(dir: &Path) {
    let end = std::time::Instant::now() + support::PATIENCE;
    loop {
        let (code, stdout, stderr) = said(&["status", "-o", "json"], dir);
        if code == Some(0) {
            let report: Value = serde_json::from_str(&stdout).expect("JSON");
            assert_eq!(report["verdict"]["state"], "healthy");
            return;
        }
        assert!(std::time::Instant::now() < end, "{stdout}{stderr}");
    }
}
