//! The `metal-edge` binary.
fn main() {}
