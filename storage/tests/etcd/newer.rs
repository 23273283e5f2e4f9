//! Tests of this program once more, on an etcd newer than Debian's.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::PROGRAM;

/// Runs those tests of this program whose names contain one of these; they must pass, and there
/// must be some. Says in one line that it does not where there is no Go to build an etcd.
pub fn passes(names: &[&str]) {
    if std::env::var_os(PROGRAM).is_some() {
        // All of this program runs on that one.
        return;
    }
    let Some(program) = build() else {
        return;
    };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(names)
        .env(PROGRAM, program)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(" 0 passed;"), "{said}");
    println!("{said}");
}

fn build() -> Option<PathBuf> {
    let go = Command::new("go").arg("version").output();
    if !go.is_ok_and(|output| output.status.success()) {
        // Past the capture of test output: a skipped test must not look like a proof.
        writeln!(io::stderr(), "skipped: no Go here to build a newer etcd").ok();
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/etcd-server");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp stands in the target directory");
    let program = target.join("clients/bin/etcd");
    // Go sees by itself whether anything has changed.
    let built = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    Some(program)
}
