use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A program that `tests/install.sh` puts in place where it can.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    /// Python with metal-python.
    Python,
    /// metalctl itself.
    Metalctl,
    /// The client on metal-stack's Go libraries.
    GoClient,
}

/// Where `tests/install.sh` puts clients: in cargo's target directory.
pub fn clients_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("tmp stands in the target directory")
        .join("clients")
}

/// The path of `tool`, or `None` with one line that says why its test is
/// skipped. With `METAL_TEST_REQUIRE_CLIENTS` set, a missing one that every
/// machine can have is a failure.
pub fn find_tool(tool: Tool) -> Option<PathBuf> {
    let (relative, name, hint) = match tool {
        Tool::Python => (
            "python/bin/python",
            "metal-python",
            "run tests/install.sh first",
        ),
        Tool::Metalctl => (
            "bin/metalctl",
            "metalctl",
            "name one with METAL_TEST_METALCTL",
        ),
        Tool::GoClient => (
            "bin/metalgo",
            "the Go client",
            "needs Go; run tests/install.sh first",
        ),
    };
    let mut path = clients_dir().join(relative);
    if let (Tool::Metalctl, Some(named)) = (tool, env::var_os("METAL_TEST_METALCTL")) {
        path = named.into();
        assert!(
            path.exists(),
            "METAL_TEST_METALCTL names {}",
            path.display()
        );
    }
    if path.exists() {
        return Some(path);
    }
    assert!(
        !(matches!(tool, Tool::Python) && env::var_os("METAL_TEST_REQUIRE_CLIENTS").is_some()),
        "{name} is missing: {hint}"
    );
    // Past the capture of test output: a skipped test must not look like a proof.
    writeln!(io::stderr(), "skipped: no {name} here ({hint})").ok();
    None
}

/// Runs `command` and hands back what it printed, whatever its exit code.
pub fn run(command: &mut Command) -> (Output, String, String) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, stdout, stderr)
}
