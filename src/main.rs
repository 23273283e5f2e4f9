//! The `metal-edge` binary.

use std::process::ExitCode;

/// About a tenth less CPU per request than the system's, and less memory kept.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    metal_edge::cli::main()
}
