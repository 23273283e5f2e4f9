use super::{exit::Exit, terminal};

pub(super) fn run() -> anyhow::Result<Exit> {
    terminal::print(concat!("metal-edge ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(Exit::OK)
}
