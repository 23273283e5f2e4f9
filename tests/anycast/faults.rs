//! What ends the announcement, one fault after the other.

use nix::sys::signal::{Signal, kill};

use super::lab::{self, ANYCAST_V4, eventually, run};
use super::{PATIENCE, alone, announced, measured};

#[test]
fn the_route_goes_when_the_process_dies_hangs_or_cannot_write_and_comes_back_after() {
    let _alone = alone();
    let (lab, mut node, monitor) = announced(&[]);
    assert!(
        lab.leaves[0]
            .namespace
            .routes(ANYCAST_V4)
            .contains("10.99.0.1")
    );

    let serving = node.serving_pid();
    let at = lab::now();
    kill(serving, Signal::SIGKILL).expect("it runs");
    let gone = measured::gone(&monitor, "kill -9 of the serving process", at);
    measured::back(&monitor, "restart by the guard", gone);

    let hung = node.serving_pid();
    assert_ne!(hung, serving, "the guard started a new one");
    let at = lab::now();
    kill(hung, Signal::SIGSTOP).expect("it runs");
    let gone = measured::gone(&monitor, "SIGSTOP, the guard kills it", at);
    measured::back(&monitor, "restart by the guard", gone);
    assert!(node.log().contains("guard"), "it says who killed it");

    let serving = node.serving_pid().to_string();
    let limit = |size: &str| {
        let size = format!("--fsize={size}");
        run(std::process::Command::new("prlimit").args(["--pid", &serving, &size]));
    };
    let at = lab::now();
    limit("1:unlimited");
    let gone = measured::gone(&monitor, "store not writable, a failed probe", at);
    let status = node.status(&lab).expect("it still answers");
    assert_eq!(status["verdict"]["state"], "down", "{status}");
    let why = status["verdict"]["why"].as_str().unwrap_or_default();
    assert!(why.contains("store"), "{why}");
    assert_eq!(node.cli(&lab, &["status"]).0, Some(3), "unhealthy");
    assert!(node.log().contains("the verdict changed"), "it says so");
    limit("unlimited:unlimited");
    measured::back(&monitor, "store writable again", gone);

    let at = lab::now();
    kill(node.guard_pid(), Signal::SIGKILL).expect("it runs");
    measured::gone(&monitor, "kill -9 of the guard", at);
    node.wait();
    let serving = serving.parse().map(nix::unistd::Pid::from_raw);
    let serving = serving.expect("a pid");
    eventually("the serving process died with its guard", PATIENCE, || {
        kill(serving, None).is_err().then_some(())
    });
}

#[test]
fn an_address_that_is_on_no_interface_is_not_announced_and_status_says_why() {
    let _alone = alone();
    let (lab, node, monitor) = announced(&[]);
    let at = lab::now();
    lab.node.ip(&["addr", "del", ANYCAST_V4, "dev", "lo"]);
    measured::gone(&monitor, "the address removed from lo", at);
    let status = node.status(&lab).expect("it still answers");
    let why = status["verdict"]["why"].as_str().unwrap_or_default();
    assert!(why.contains("192.0.2.1 is on no interface"), "{why}");
    let (code, text) = node.cli(&lab, &["check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("ip address add 192.0.2.1/32 dev lo"),
        "{text}"
    );
    let at = lab::now();
    lab.node.ip(&["addr", "add", ANYCAST_V4, "dev", "lo"]);
    measured::back(&monitor, "the address on lo again", at);
}
