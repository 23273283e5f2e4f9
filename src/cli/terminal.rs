//! What is written to the terminal, and how.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use super::location::Fix;
use crate::config::Problems;

/// Whether standard output may be coloured.
pub(super) fn colour() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether standard error may be coloured.
pub(super) fn colour_of_errors() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

/// <https://no-color.org>: any value but an empty one. A terminal that cannot
/// is called dumb.
fn colour_wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Writes data. A reader that has gone (`| head`) is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Writes a remark; one that cannot be written is lost.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes an error, its causes, and what can be done about it.
pub(super) fn error(error: &anyhow::Error) {
    let word = if colour_of_errors() {
        "\x1b[1;31merror:\x1b[0m"
    } else {
        "error:"
    };
    let fix = error.downcast_ref::<Fix>().map(|fix| fix.0);
    let problems = error.downcast_ref::<Problems>();
    let shown = problems.map(ToString::to_string);
    let causes: Vec<_> = error
        .chain()
        .map(ToString::to_string)
        .filter(|cause| Some(cause.as_str()) != fix && Some(cause) != shown.as_ref())
        .collect();
    remark(&format!("{word} {}", causes.join(": ")));
    for problem in problems.iter().flat_map(|problems| &problems.0) {
        remark(&format!("  {problem}"));
    }
    if let Some(fix) = fix {
        remark(&format!("  fix: {fix}"));
    }
}
