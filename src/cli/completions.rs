use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, exit::Exit, terminal};

const AFTER: &str = "\
Examples:
  metal-edge completions bash > /etc/bash_completion.d/metal-edge
  metal-edge completions zsh > \"${fpath[1]}/_metal-edge\"
  metal-edge completions fish > ~/.config/fish/completions/metal-edge.fish";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "metal-edge",
        &mut script,
    );
    terminal::print(&String::from_utf8(script)?)?;
    Ok(Exit::OK)
}
