use std::{
    io::{self, Write},
    os::fd::AsFd,
    os::unix::net::UnixStream,
    process,
    time::Duration,
};

use nix::{
    sys::{
        prctl,
        signal::{SigSet, Signal},
    },
    unistd,
};
use sd_notify::NotifyState;

use super::{ALONE_BEAT, watch::Sign};

/// The beating side of the guard. Whoever serves runs [`Heart::run`] as a task
/// of its main runtime, so that a runtime that hangs stops beating.
#[derive(Debug)]
pub struct Heart {
    ears: Ears,
    every: Duration,
}

/// Who listens.
#[derive(Debug)]
enum Ears {
    Nobody,
    Parent(UnixStream),
    Systemd { watchdog: bool },
}

/// The parent that listened is gone.
#[derive(Debug, thiserror::Error)]
#[error("the guard is gone: {0}")]
pub struct HeartError(io::Error);

// === impl Heart ===

impl Heart {
    /// A heart that nobody listens to.
    pub(super) fn alone() -> Self {
        Self {
            ears: Ears::Nobody,
            every: ALONE_BEAT,
        }
    }

    /// Three beats per `limit`, so that one may be late and one be lost.
    pub(super) fn systemd(limit: Option<Duration>) -> Self {
        Self {
            ears: Ears::Systemd {
                watchdog: limit.is_some(),
            },
            every: limit.map_or(ALONE_BEAT, |limit| limit / 3),
        }
    }

    /// In the child: dies with `parent`, and beats over standard input.
    pub(super) fn child(parent: &str, every: Duration) -> io::Result<Self> {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // Inherited from the parent, which takes its signals from a descriptor.
        SigSet::empty().thread_set_mask()?;
        // A parent that died before the first line will not be heard dying.
        if unistd::getppid().to_string() != parent {
            return Err(io::Error::other(format!(
                "{} names process {parent} as the guard, which is not the parent of this process",
                super::CHILD_VARIABLE
            )));
        }
        let stdin = io::stdin();
        let socket = UnixStream::from(stdin.as_fd().try_clone_to_owned()?);
        socket.set_nonblocking(true)?;
        unistd::dup2_stdin(std::fs::File::open("/dev/null")?)?;
        Ok(Self {
            ears: Ears::Parent(socket),
            every,
        })
    }

    /// Whether this is the child of a guard, whose parent checked and said
    /// everything once already.
    pub fn is_guarded_by_parent(&self) -> bool {
        matches!(self.ears, Ears::Parent(_))
    }

    /// Logs what nobody would notice otherwise: that a hang will last.
    pub fn warn(&self) {
        match self.ears {
            Ears::Nobody => tracing::warn!(
                "no guard: a hang will last until the leaf switches' hold timers run out"
            ),
            Ears::Systemd { watchdog: false } => {
                tracing::warn!("systemd watches no heartbeat of this unit: set WatchdogSec= in it");
            }
            Ears::Parent(_) | Ears::Systemd { watchdog: true } => {}
        }
    }

    /// From one beat to the next.
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Beats until the parent is gone, which never happens to a process without
    /// one. Poll it on the runtime that must not hang, and end the process when
    /// it returns.
    pub async fn run(&self) -> HeartError {
        let mut timer = tokio::time::interval(self.every);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            if let Err(error) = self.beat() {
                return error;
            }
        }
    }

    /// One beat, for a main loop of its own. Never blocks.
    pub fn beat(&self) -> Result<(), HeartError> {
        match &self.ears {
            Ears::Parent(socket) => say(socket, Sign::Beat),
            Ears::Systemd { watchdog: true } => {
                tell(&[NotifyState::Watchdog]);
                Ok(())
            }
            Ears::Systemd { watchdog: false } | Ears::Nobody => Ok(()),
        }
    }

    /// The node listens: units ordered after this one may start.
    pub fn ready(&self, status: &str) {
        if let Ears::Systemd { .. } = self.ears {
            tell(&[NotifyState::Ready, NotifyState::Status(status)]);
        }
    }

    /// The line that `systemctl status` shows.
    pub fn status(&self, status: &str) {
        if let Ears::Systemd { .. } = self.ears {
            tell(&[NotifyState::Status(status)]);
        }
    }

    /// The node stops. Beats go on while it drains.
    pub fn stopping(&self, status: &str) {
        if let Ears::Systemd { .. } = self.ears {
            tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
        }
    }

    /// No beat comes any more, on purpose: call it last, before the runtime is
    /// shut down. The parent then gives the process 10 s to end.
    pub fn stop(&self) {
        if let Ears::Parent(socket) = &self.ears {
            // A parent that is gone needs no word.
            let _ = say(socket, Sign::Stop);
        }
    }

    /// Ends the process because its guard is gone: the sessions close with it,
    /// and nobody is left to kill it when it hangs.
    pub fn die(error: &HeartError) -> ! {
        tracing::error!(%error, "ending: a node without its guard must not serve");
        crate::log::finish();
        process::exit(1)
    }
}

/// A full buffer is a parent that is late in reading: it finds the earlier
/// beats there.
fn say(mut socket: &UnixStream, sign: Sign) -> Result<(), HeartError> {
    match socket.write(&[sign.byte()]) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(HeartError(error)),
    }
}

/// systemd that does not listen must not stop the service.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not notified");
    }
}
