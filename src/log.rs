//! The log, on standard error.
//!
//! Lines wait in a bounded queue for a thread that writes them: a reader that
//! stalls, or a disk that is full, costs lines (counted in a metric), never a
//! request or a verdict.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

/// Lines that wait at most.
const QUEUE: usize = 16 * 1024;

static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Begins to log, with colours if `colour`. Once in a process; a second call
/// changes nothing.
pub fn start(log: &Log, colour: bool) {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE)
        .lossy(true)
        .thread_name("log")
        .finish(io::stderr());
    let dropped = writer.error_counter();
    if install(log, colour, writer) {
        *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
        DROPPED.get_or_init(|| dropped);
    }
}

/// The same from the thread that logs: for a process that must have no other,
/// and says little.
pub fn start_without_thread(log: &Log, colour: bool) {
    install(log, colour, io::stderr);
}

fn install<W>(log: &Log, colour: bool, writer: W) -> bool
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.level).expect("the configuration was checked");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .log_internal_errors(false)
        .with_ansi(colour);
    let installed = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    installed.is_ok()
}

/// Writes what waits, within about a second, and ends the log. Call it before
/// the process ends.
pub fn finish() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Lines that were dropped because the queue was full.
pub fn dropped() -> u64 {
    DROPPED
        .get()
        .map_or(0, |dropped| dropped.dropped_lines() as u64)
}
