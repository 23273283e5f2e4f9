//! A serving process that hangs or crashes, and the guard that sees to it.

mod support;

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use support::{Node, PATIENCE, Settings, metal_edge, run};

/// From the hang to the end of the process: the limit of 700 ms and some for a
/// busy machine.
const HANG_BOUND: Duration = Duration::from_millis(1500);

#[test]
fn a_process_that_hangs_is_killed_and_replaced() {
    let node = guarded();
    let hung = child(node.pid());
    signal(hung, Signal::SIGSTOP);
    let took = until("the hung process is dead", || !lives(hung));
    assert!(took < HANG_BOUND, "it took {took:?}");
    until_another_serves(&node, hung);
    assert!(node.log().contains("its heart stopped: the process hangs"));
}

#[test]
fn a_process_that_crashes_is_replaced() {
    let node = guarded();
    let crashed = child(node.pid());
    signal(crashed, Signal::SIGKILL);
    until_another_serves(&node, crashed);
}

#[test]
fn a_process_does_not_outlive_its_guard_even_when_it_hangs() {
    for hangs in [false, true] {
        let mut node = guarded();
        let orphan = child(node.pid());
        if hangs {
            signal(orphan, Signal::SIGSTOP);
        }
        node.kill();
        let took = until("the orphan is dead", || !lives(orphan));
        assert!(took < HANG_BOUND, "it took {took:?}");
    }
}

#[test]
fn a_guard_that_was_stopped_for_a_while_does_not_blame_the_process() {
    let node = guarded();
    let before = child(node.pid());
    signal(node.pid(), Signal::SIGSTOP);
    // Longer than the limit; nothing that could be awaited happens meanwhile.
    pause(Duration::from_secs(1));
    signal(node.pid(), Signal::SIGCONT);
    pause(Duration::from_millis(300));
    assert_eq!(child(node.pid()), before);
    assert!(lives(before));
}

#[test]
fn sigterm_to_the_guard_stops_the_process_in_order() {
    let mut node = guarded();
    let served = child(node.pid());
    assert_eq!(node.stop(), Some(0));
    assert!(!lives(served));
    assert!(node.log().contains("stopped"), "{}", node.log());
    assert!(!node.data_dir().join("node.json").exists());
}

#[test]
fn a_signal_to_the_process_itself_ends_its_guard_too() {
    let mut node = guarded();
    signal(child(node.pid()), Signal::SIGTERM);
    // Harmless where the guard has ended already: it is not collected yet.
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn the_exit_code_of_the_process_is_the_guard_s() {
    let node = guarded();
    let (output, _, stderr) = run(metal_edge()
        .args(["serve", "--config"])
        .arg(node.config_file()));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(!stderr.contains("starting it again"), "{stderr}");
}

#[test]
fn the_guard_is_one_light_thread() {
    let node = guarded();
    assert_eq!(field(node.pid(), "Threads"), Some(1));
    let private = field(node.pid(), "RssAnon").expect("a number of kB");
    assert!(private < 4096, "{private} kB");
}

#[test]
fn nobody_else_can_pose_as_the_guard() {
    let (output, _, stderr) = run(metal_edge()
        .arg("serve")
        .env("METAL_EDGE_GUARD_PARENT", "1"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("not the parent"), "{stderr}");
}

/// A node with its guard, which other tests do without.
fn guarded() -> Node {
    let mut settings = Settings::new();
    // The environment wins over the file; env(1) becomes the node.
    settings.wrapper = ["env", "METAL_EDGE_GUARD_ENABLED=true"]
        .map(str::to_owned)
        .into();
    Node::with(settings)
}

/// The only child of `parent`.
fn child(parent: u32) -> u32 {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).expect("the guard runs");
    children.trim().parse().expect("one child")
}

/// Neither gone nor waiting to be collected: both have closed their sockets.
fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

/// A number in the status of a process.
fn field(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).expect("a pid");
    kill(Pid::from_raw(pid), signal).expect("the signal is sent");
}

/// Until a process other than `old` serves, by its own word.
fn until_another_serves(node: &Node, old: u32) {
    until("another process serves", || {
        let file = fs::read(node.data_dir().join("node.json")).unwrap_or_default();
        let pid = serde_json::from_slice::<Value>(&file)
            .ok()
            .map(|it| it["pid"].clone());
        pid.is_some_and(|pid| pid != old) && std::net::TcpStream::connect(node.api()).is_ok()
    });
}

/// How long it took until `done`.
fn until(what: &str, done: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        pause(Duration::from_millis(5));
    }
    start.elapsed()
}

#[allow(clippy::disallowed_methods, reason = "a test's own thread")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
