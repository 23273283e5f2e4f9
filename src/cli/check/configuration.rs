//! Is the configuration valid?

use super::finding::Group;
use crate::{
    cli::config::source,
    config::{Loaded, Problem, Problems},
};

const NAME: &str = "configuration";

pub(super) fn accepted(loaded: &Loaded) -> Group {
    let mut group = Group::new(NAME);
    group.ok(source(loaded));
    for warning in &loaded.warnings {
        group.warning(place(warning), warning.what.clone(), "");
    }
    group
}

pub(super) fn refused(problems: &Problems) -> Group {
    let mut group = Group::new(NAME);
    for problem in &problems.0 {
        let fix = "correct it; the other checks follow once the configuration is valid";
        group.failed(place(problem), problem.what.clone(), fix);
    }
    group
}

fn place(problem: &Problem) -> String {
    let place = problem.origin.as_ref().map(ToString::to_string);
    let key = Some(problem.key.clone()).filter(|key| !key.is_empty());
    let parts: Vec<_> = place.into_iter().chain(key).collect();
    if parts.is_empty() {
        "sources".to_owned()
    } else {
        parts.join(": ")
    }
}
