use std::{env, fs};

/// CPU time that a process has used, all its threads together.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    ticks: u64,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub rss: u64,
    /// What is shared counts in proportion.
    pub pss: u64,
}

// === impl Usage ===

impl Usage {
    /// From `/proc/PID/stat` (proc(5)): fields 14 and 15.
    pub fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
        let (_, rest) = stat.rsplit_once(')').expect("a process name");
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<u64>().expect("a number");
        Self {
            ticks: ticks(11) + ticks(12),
        }
    }

    /// Seconds of CPU since `before`.
    pub fn since(&self, before: &Self) -> f64 {
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
            .ok()
            .flatten()
            .expect("Linux has a clock tick");
        (self.ticks - before.ticks) as f64 / per_second as f64
    }
}

// === impl Memory ===

impl Memory {
    /// From `/proc/PID/smaps_rollup`.
    pub fn of(pid: u32) -> Self {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
            .expect("the process lives and is ours");
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.split_whitespace().next())
                .and_then(|kib| kib.parse::<u64>().ok())
                .expect("a size")
                * 1024
        };
        Self {
            rss: field("Rss:"),
            pss: field("Pss:"),
        }
    }
}

/// Whether `program` is on the path.
pub fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
