//! The `metal-edge` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    metal_edge::cli::main()
}
