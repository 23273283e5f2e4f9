use anyhow::Context;
use clap::{Args, Subcommand};

use super::{exit::Exit, location::Location, terminal};
use crate::config::{Loaded, Setting};

const AFTER: &str = "\
Examples:
  metal-edge config check --config ./metal-edge.toml
  METAL_EDGE_LOG_LEVEL=debug metal-edge config print

Problems are written as FILE:LINE:COLUMN: KEY: WHAT, all of them at once.
Exit codes: 0 valid (warnings may be printed), 1 not.";

/// Check the configuration, or print the one in force
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say everything that is wrong with it; starts nothing
    Check(Location),
    /// Print every setting in force, as TOML, and who said so; no secret is in it
    Print(Location),
}

pub(super) fn run(arguments: &Config) -> anyhow::Result<Exit> {
    let (Command::Check(location) | Command::Print(location)) = &arguments.command;
    let loaded = location
        .load(vec![])
        .context("the configuration is not valid")?;
    warn(&loaded);
    match arguments.command {
        Command::Check(_) => terminal::remark(&format!("ok: {}", source(&loaded))),
        Command::Print(_) => terminal::print(&toml(&loaded.settings()))?,
    }
    Ok(Exit::OK)
}

/// Writes the doubts.
pub(super) fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        terminal::remark(&format!("warning: {warning}"));
    }
}

/// What was read.
pub(super) fn source(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(file) => format!("{} is valid", file.display()),
        None => "no file: embedded defaults and the environment".to_owned(),
    }
}

/// The settings as a file, each with its origin, a section per table.
fn toml(settings: &[Setting]) -> String {
    let width = |setting: &Setting| short(&setting.key).len() + 3 + setting.value.len();
    let widest = settings
        .iter()
        .map(width)
        .filter(|n| *n < 48)
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let mut open = "";
    for setting in settings {
        let section = setting
            .key
            .rsplit_once('.')
            .map_or("", |(section, _)| section);
        if section != open {
            open = section;
            // bgp.peer[0] is an element of an array of tables.
            text += &match section.split_once('[') {
                Some((array, _)) => format!("\n[[{array}]]\n"),
                None => format!("\n[{section}]\n"),
            };
        }
        let line = format!("{} = {}", short(&setting.key), setting.value);
        text += &format!("{line:<widest$}  # {}\n", setting.origin);
    }
    text
}

fn short(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
