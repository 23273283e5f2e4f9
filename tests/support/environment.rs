use std::{path::Path, process::Command};

use super::{Node, Role};

/// A command that runs `program` with what `metal-edge env` prints for `role`
/// and nothing else of that kind, as a user's shell would.
///
/// `HOME` is a directory of the node's, so that no file of the user's matters.
pub fn with_environment(node: &Node, role: Role, program: &Path) -> Command {
    const EVAL: &str = r#"
        settings=$("$METAL_EDGE" env --data-dir "$DATA_DIR" --role "$ROLE") || exit 99
        unset METAL_EDGE DATA_DIR ROLE
        eval "$settings"
        exec "$@"
    "#;
    let mut command = Command::new("sh");
    command
        .args(["-c", EVAL, "sh"])
        .arg(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", node.scratch())
        .env("METAL_EDGE", env!("CARGO_BIN_EXE_metal-edge"))
        .env("DATA_DIR", node.data_dir())
        .env("ROLE", role.to_string())
        .current_dir(node.scratch());
    command
}
