//! One line for each scenario.

use std::io::{self, Write as _};
use std::time::Duration;

use crate::model::Model;
use crate::traffic::History;

/// Prints what happened, past the capture of test output.
pub fn report(name: &str, model: &Model, history: &History, resumed: usize, back: &[Duration]) {
    let slowest = history.events.iter().map(|event| event.took).max();
    let line = format!(
        "{name}: {} acknowledged, {} refused, {} unsure, slowest answer {:?}, watcher resumed {resumed} times, back {back:.1?} after the fault was over",
        model.happened.len(),
        model.refused.len(),
        model.unsure.len(),
        slowest.unwrap_or_default(),
    );
    writeln!(io::stderr(), "{line}").ok();
}
