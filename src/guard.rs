//! What ends a process that hangs.
//!
//! A node that hangs keeps its TCP sessions: the leaf switches would believe in
//! its route until their hold timer runs out. A killed process closes them, and
//! the route is gone at once. So somebody outside of the process must notice
//! that it hangs and kill it:
//!
//! - under systemd its watchdog (`WatchdogSec`, `WatchdogSignal=SIGKILL`);
//! - without it a small parent: `serve` starts itself once more as its own
//!   child, listens to its beats over a socket and kills it when they stop.
//!
//! [`enter`] decides which, and must be called before any thread is started.

mod backoff;
mod heart;
mod parent;
mod watch;

use std::{env, io, time::Duration};

pub use self::{
    heart::{Heart, HeartError},
    parent::Parent,
};
use crate::config;

/// Marks the child, and names its parent's process id. Not for operators.
pub const CHILD_VARIABLE: &str = "METAL_EDGE_GUARD_PARENT";

/// What this process has to do.
#[derive(Debug)]
pub enum Duty {
    /// Serve, and beat the heart meanwhile.
    Serve(Heart),
    /// Run [`Parent::run`] and nothing else.
    Supervise(Parent),
}

/// Finds out what this process has to do. In the child of a guard this makes
/// sure that it does not outlive its parent, and takes over standard input.
///
/// Call it before the first thread is started: the parent stays a process of
/// one thread, and the child's end is tied to that thread.
///
/// # Errors
/// When the child's parent is gone already, or a system call fails.
pub fn enter(settings: &config::Guard) -> io::Result<Duty> {
    if let Ok(parent) = env::var(CHILD_VARIABLE) {
        return Heart::child(&parent, settings.beat).map(Duty::Serve);
    }
    if let Some(limit) = sd_notify::watchdog_enabled() {
        return Ok(Duty::Serve(Heart::systemd(Some(limit))));
    }
    if env::var_os("NOTIFY_SOCKET").is_some() {
        return Ok(Duty::Serve(Heart::systemd(None)));
    }
    if !settings.enabled {
        return Ok(Duty::Serve(Heart::alone()));
    }
    Ok(Duty::Supervise(Parent::new(settings.limit)))
}

/// Beats of this process alone, for tests of what runs beside it.
const ALONE_BEAT: Duration = Duration::from_secs(1);
