use std::{
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use metal_storage::backup::{Progress, Step};

use crate::cli::terminal;

/// From one line to the next, where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// Shows how far it is, on standard error: a bar on a terminal, else lines now and then.
pub(super) struct Shown {
    bar: Option<ProgressBar>,
    /// Bytes of the file, where known.
    size: Option<u64>,
    state: Mutex<State>,
}

struct State {
    step: Option<Step>,
    line: Instant,
}

// === impl Shown ===

impl Shown {
    pub(super) fn new(size: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr_with_hz(8));
            bar.set_style(style(size.is_some()));
            bar
        });
        Self {
            bar,
            size,
            state: Mutex::new(State {
                step: None,
                line: Instant::now(),
            }),
        }
    }

    pub(super) fn tell(&self, progress: Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let what = match progress.step {
            Step::BackUp => "backing up",
            Step::Verify => "verifying",
            Step::Clear => "deleting",
            Step::Restore => "restoring",
            Step::Count => "counting",
        };
        let begins = state.step.replace(progress.step) != Some(progress.step);
        match &self.bar {
            Some(bar) => {
                bar.set_position(progress.bytes);
                bar.set_message(format!("{what}, {} records", progress.records));
            }
            None if begins || state.line.elapsed() >= LINE => {
                state.line = Instant::now();
                let of = match self.size {
                    Some(size) => format!(" of {}", HumanBytes(size)),
                    None => String::new(),
                };
                terminal::remark(&format!(
                    "{what}: {} records, {}{of}",
                    progress.records,
                    HumanBytes(progress.bytes)
                ));
            }
            None => {}
        }
    }

    /// Nothing more comes; the bar goes away.
    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(with_size: bool) -> ProgressStyle {
    let template = if with_size {
        "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}"
    } else {
        "{spinner} {msg} {bytes} {bytes_per_sec}"
    };
    let style = ProgressStyle::with_template(template);
    style
        .expect("the template is a valid one")
        .progress_chars("=> ")
}
