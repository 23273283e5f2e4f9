//! A service that stalls while its speaker goes on.

use std::fs;

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use super::edge_node::EdgeNode;
use super::lab::{self, Lab, LeafConfig};
use super::{LEAF_ASN, alone, measured};

/// The speaker's thread, which is left alone.
const SPEAKER: &str = "metal-bgp";

#[test]
fn a_verdict_that_nobody_renews_withdraws_while_the_session_stays() {
    let _alone = alone();
    let lab = Lab::new(&[LeafConfig::new(LEAF_ASN)]);
    let monitor = lab.leaves[0].monitor();
    let mut node = EdgeNode::prepare(&lab, &[]);
    let began = lab::now();
    // Without the guard, which would end the stall another way.
    node.start_with(&lab, &["--no-guard"]);
    measured::back(&monitor, "start", began);

    let at = lab::now();
    let stopped = stop_all_but_the_speaker(node.serving_pid());
    assert!(stopped.len() > 1, "the service has threads");
    measured::gone(&monitor, "service stalled, the verdict expires", at);
    let neighbor = lab.leaves[0].neighbor();
    assert_eq!(neighbor["bgpState"], "Established", "only the route went");

    let at = lab::now();
    for thread in stopped {
        ptrace::detach(thread, None::<Signal>).expect("it is stopped");
    }
    measured::back(&monitor, "the stall ends", at);
}

/// Stops every thread of `process` but the speaker's, and nothing else of it.
fn stop_all_but_the_speaker(process: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let mut stopped = Vec::new();
    for task in tasks {
        let task = task.expect("readable").path();
        let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
        if name.trim() == SPEAKER {
            continue;
        }
        let id = task.file_name().and_then(|id| id.to_str()?.parse().ok());
        let thread = Pid::from_raw(id.expect("a thread id"));
        ptrace::seize(thread, ptrace::Options::empty()).expect("root may trace it");
        ptrace::interrupt(thread).expect("it is traced");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
        stopped.push(thread);
    }
    stopped
}
