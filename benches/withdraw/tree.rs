use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};

/// Processes and their descendants.
#[derive(Debug)]
pub struct Tree(Vec<u32>);

/// Resident memory of a process in MiB (`VmRSS`, proc(5)); 0 once it ended.
pub fn rss(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

// === impl Tree ===

impl Tree {
    /// As they are now; what ends meanwhile is not in it.
    pub fn of(roots: &[u32]) -> Self {
        let mut all = roots.to_vec();
        let mut next = 0;
        while let Some(&pid) = all.get(next) {
            next += 1;
            let tasks = fs::read_dir(format!("/proc/{pid}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let children = fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                all.extend(
                    children
                        .split_whitespace()
                        .filter_map(|c| c.parse::<u32>().ok()),
                );
            }
        }
        Self(all)
    }

    /// Resident memory of all, in MiB. Shared pages count in each.
    pub fn rss(&self) -> f64 {
        self.0.iter().map(|pid| rss(*pid)).sum()
    }

    /// CPU time of all in seconds, with that of children that ended and were
    /// waited for (fields 14 to 17 of `/proc/PID/stat`).
    pub fn cpu(&self) -> f64 {
        let ticks = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (_, rest) = stat.rsplit_once(')')?;
            let fields = rest.split_whitespace().skip(11).take(4);
            Some(fields.filter_map(|f| f.parse::<f64>().ok()).sum::<f64>())
        };
        let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
        let per_second = per_second.expect("Linux has a clock tick") as f64;
        self.0.iter().filter_map(ticks).sum::<f64>() / per_second
    }

    /// SIGKILL to all.
    pub fn kill(&self) {
        for pid in &self.0 {
            let pid = Pid::from_raw(i32::try_from(*pid).expect("a pid fits"));
            // It may have ended with its parent.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}
