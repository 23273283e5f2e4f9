use serde::Serialize;

/// Checks that belong together.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) checks: Vec<Finding>,
}

/// The outcome of one check.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at, and for a good one what was seen.
    pub(super) what: String,
    pub(super) outcome: Outcome,
    /// Why it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Ok,
    /// The node will run, but perhaps not as meant.
    Warning,
    /// The node will not run, or will not be fit to serve.
    Failed,
}

// === impl Group ===

impl Group {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            checks: Vec::new(),
        }
    }

    pub(super) fn ok(&mut self, what: impl Into<String>) {
        self.add(what, Outcome::Ok, None, None);
    }

    pub(super) fn warning(
        &mut self,
        what: impl Into<String>,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(what, Outcome::Warning, Some(cause.into()), Some(fix.into()));
    }

    pub(super) fn failed(
        &mut self,
        what: impl Into<String>,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(what, Outcome::Failed, Some(cause.into()), Some(fix.into()));
    }

    fn add(
        &mut self,
        what: impl Into<String>,
        outcome: Outcome,
        cause: Option<String>,
        fix: Option<String>,
    ) {
        let what = what.into();
        self.checks.push(Finding {
            what,
            outcome,
            cause,
            fix,
        });
    }
}
