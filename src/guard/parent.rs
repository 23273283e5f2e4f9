use std::{
    env,
    ffi::OsString,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::{
        net::UnixStream,
        process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal, kill},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::Pid,
};

use super::{
    CHILD_VARIABLE,
    backoff::Backoff,
    watch::{Sign, Watch},
};

/// Handed on to the child. The others concern the parent alone.
const FORWARDED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];
/// Those after which a child is not started again.
const ENDING: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT];

/// How long the farewell may take, and how often it is looked whether it is over.
const FAREWELL: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(5);

/// The guard without systemd: starts this program once more with the same
/// arguments, hands signals on to it, kills it when its heart stops, and starts
/// it again when it crashed. One thread, and no runtime.
#[derive(Debug)]
pub struct Parent {
    limit: Duration,
    /// Arguments with which this program is run when the child has ended.
    farewell: Option<Vec<OsString>>,
}

/// The child and what is known of it.
struct Ward {
    child: Child,
    /// Until the child closed its end.
    socket: Option<UnixStream>,
    watch: Watch,
    started: Instant,
    killed: bool,
}

// === impl Parent ===

impl Parent {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            farewell: None,
        }
    }

    /// Runs this program with these arguments whenever the child has ended, however it did: for
    /// what others keep of a process that was killed. Bounded to two seconds.
    #[must_use]
    pub fn with_farewell(mut self, arguments: Vec<OsString>) -> Self {
        self.farewell = Some(arguments);
        self
    }

    /// Runs until the child ends by itself, and returns its exit code; 128 and
    /// the number of a signal that ended it on request, as a shell has it.
    ///
    /// # Errors
    /// When a system call fails, or the program cannot be started. The child
    /// does not outlive this process.
    pub fn run(self) -> io::Result<u8> {
        let mut mask = SigSet::empty();
        FORWARDED.into_iter().for_each(|signal| mask.add(signal));
        mask.add(Signal::SIGCHLD);
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;

        let mut backoff = Backoff::new();
        loop {
            let mut ward = Ward::start(self.limit)?;
            tracing::debug!(pid = ward.child.id(), "guarding");
            let (status, asked) = ward.accompany(&signals)?;
            if let Some(arguments) = &self.farewell {
                say_farewell(arguments);
            }
            if let Some(code) = status.code() {
                return Ok(u8::try_from(code).unwrap_or(1));
            }
            let signal = status.signal().unwrap_or(0);
            if asked && !ward.killed {
                return Ok(128 + u8::try_from(signal).unwrap_or(0));
            }
            if asked {
                // Killed while it was stopping: it stays down, and failed.
                return Ok(1);
            }
            let wait = backoff.after(ward.started.elapsed());
            tracing::error!(
                pid = ward.child.id(),
                signal,
                restart_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "the serving process was ended by a signal; starting it again"
            );
            if ended_while_waiting(&signals, wait)? {
                return Ok(0);
            }
        }
    }
}

fn say_farewell(arguments: &[OsString]) {
    let said = Command::new("/proc/self/exe")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .and_then(|mut child| {
            let end = Instant::now() + FAREWELL;
            loop {
                if let Some(status) = child.try_wait()? {
                    return Ok(status.success());
                }
                if Instant::now() >= end {
                    child.kill()?;
                    child.wait()?;
                    return Ok(false);
                }
                // Nothing else runs in this process, and nothing is due.
                #[allow(clippy::disallowed_methods, reason = "there is no runtime here")]
                std::thread::sleep(GLANCE);
            }
        });
    match said {
        Ok(true) => {}
        Ok(false) => tracing::error!("cleaning up after the serving process failed"),
        Err(error) => tracing::error!(%error, "cleaning up after the serving process failed"),
    }
}

// === impl Ward ===

impl Ward {
    fn start(limit: Duration) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut arguments = env::args_os();
        let name = arguments.next().unwrap_or_default();
        // The link still works after the file was replaced by an upgrade, and
        // then starts what was started first.
        let child = Command::new("/proc/self/exe")
            .arg0(name)
            .args(arguments)
            .env(CHILD_VARIABLE, std::process::id().to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // Else a terminal's Ctrl-C would reach it twice.
            .process_group(0)
            .spawn()?;
        let now = Instant::now();
        Ok(Self {
            child,
            socket: Some(ours),
            watch: Watch::new(limit, now),
            started: now,
            killed: false,
        })
    }

    /// Until the child has ended: its status, and whether that was asked for.
    fn accompany(&mut self, signals: &SignalFd) -> io::Result<(ExitStatus, bool)> {
        let mut asked = false;
        loop {
            let socket = self.socket.as_ref().map(AsFd::as_fd);
            wait_for(signals.as_fd(), socket, self.patience())?;
            while let Some(signal) = next_signal(signals)? {
                if FORWARDED.contains(&signal) {
                    asked |= ENDING.contains(&signal);
                    self.send(signal)?;
                }
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, asked));
            }
            self.listen()?;
            if !self.killed && Instant::now() >= self.watch.deadline() {
                tracing::error!(
                    pid = self.child.id(),
                    why = self.watch.silence(),
                    "killing the serving process"
                );
                self.killed = true;
                self.send(Signal::SIGKILL)?;
            }
        }
    }

    /// How long to wait for news; without end once it was killed.
    fn patience(&self) -> Option<Duration> {
        (!self.killed).then(|| {
            self.watch
                .deadline()
                .saturating_duration_since(Instant::now())
        })
    }

    /// Takes what the child said. Beats that waited here count from now: the
    /// parent may itself have been stopped meanwhile.
    fn listen(&mut self) -> io::Result<()> {
        let Some(socket) = &mut self.socket else {
            return Ok(());
        };
        let mut buffer = [0; 256];
        loop {
            let heard = socket.read(&mut buffer);
            let now = Instant::now();
            match heard {
                Ok(n) if n > 0 => buffer[..n]
                    .iter()
                    .filter_map(|byte| Sign::from_byte(*byte))
                    .for_each(|sign| self.watch.heard(sign, now)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Closed or reset: the child is about to be gone.
                Ok(_) | Err(_) => {
                    self.watch.heard(Sign::Stop, now);
                    self.socket = None;
                    return Ok(());
                }
            }
        }
    }

    /// The child is not collected yet, so its process id is its own.
    fn send(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).map_err(io::Error::other)?;
        match kill(Pid::from_raw(pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Until one of the two is readable, or `patience` is over (`None`: without
/// end), or a signal handler ran.
fn wait_for(
    signals: BorrowedFd<'_>,
    socket: Option<BorrowedFd<'_>>,
    patience: Option<Duration>,
) -> io::Result<()> {
    let watched = |fd| PollFd::new(fd, PollFlags::POLLIN);
    let mut both: Vec<_> = [Some(signals), socket]
        .into_iter()
        .flatten()
        .map(watched)
        .collect();
    let timeout = match patience {
        None => PollTimeout::NONE,
        // One more than the whole milliseconds, so as not to wake up early.
        Some(patience) => {
            PollTimeout::try_from(patience + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        }
    };
    match poll(&mut both, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The next signal that is waiting.
fn next_signal(signals: &SignalFd) -> io::Result<Option<Signal>> {
    let Some(info) = signals.read_signal()? else {
        return Ok(None);
    };
    let number = i32::try_from(info.ssi_signo).map_err(io::Error::other)?;
    Ok(Some(Signal::try_from(number)?))
}

/// Waits before a restart, and says whether the guard was told to end.
fn ended_while_waiting(signals: &SignalFd, wait: Duration) -> io::Result<bool> {
    let end = Instant::now() + wait;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        wait_for(signals.as_fd(), None, Some(left))?;
        while let Some(signal) = next_signal(signals)? {
            if ENDING.contains(&signal) {
                return Ok(true);
            }
        }
    }
}
