//! CockroachDB's own parser, in a small program of Go's.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;

/// The built program.
#[derive(Clone, Debug)]
pub struct Parser(PathBuf);

/// What it says of one text.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// One word for each statement in the text.
    pub tags: Option<Vec<String>>,
    /// The SQLSTATE of the refusal, or nothing.
    pub code: String,
    pub message: String,
}

/// The program, built if it is not yet; `None` where there is no Go, which is said in one line.
pub fn find() -> Option<Parser> {
    static BUILT: OnceLock<Option<Parser>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> Option<Parser> {
    let go = Command::new("go").arg("version").output();
    if !go.is_ok_and(|output| output.status.success()) {
        // Past the capture of test output: a skipped test must not look like a proof.
        writeln!(io::stderr(), "skipped: no Go here for CockroachDB's parser").ok();
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crdb-parser");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp stands in the target directory");
    let program = target.join("clients/bin/crdb-parser");
    // Go sees by itself whether anything has changed.
    let built = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    Some(Parser(program))
}

// === impl Parser ===

impl Parser {
    /// An answer for each text.
    pub fn parse(&self, texts: &[&str]) -> Vec<Answer> {
        let mut child = Command::new(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        serde_json::to_writer(child.stdin.take().unwrap(), texts).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let answers: Vec<Answer> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answers.len(), texts.len());
        answers
    }
}
