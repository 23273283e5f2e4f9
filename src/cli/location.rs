use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::{
    config::{Config, DataDir, Flag, Loaded, Problems, Sources},
    status::{NodeFile, NodeFileError},
};

/// Which node is meant.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Location {
    /// Configuration file [env: METAL_EDGE_CONFIG]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the node's state [env: METAL_EDGE_DATA_DIR]
    #[arg(long, short, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

// === impl Location ===

impl Location {
    /// The sources of the configuration, with further flags.
    pub(super) fn sources(&self, flags: Vec<Flag>) -> Sources {
        let mut flags = flags;
        flags.extend(self.data_dir.as_ref().map(|path| Flag {
            name: "--data-dir",
            key: "data-dir",
            value: path.to_string_lossy().into_owned(),
        }));
        Sources::of_process(self.config.clone(), flags)
    }

    /// The arguments that name the same node to another subcommand.
    pub(super) fn arguments<const N: usize>(&self, subcommand: [&str; N]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = subcommand.iter().map(OsString::from).collect();
        for (flag, path) in [("--config", &self.config), ("--data-dir", &self.data_dir)] {
            if let Some(path) = path {
                arguments.push(flag.into());
                arguments.push(path.into());
            }
        }
        arguments
    }

    /// The whole configuration, checked.
    pub(super) fn load(&self, flags: Vec<Flag>) -> Result<Loaded, Problems> {
        Config::load(&self.sources(flags))
    }

    /// The data directory alone. Named by a flag, it needs no configuration.
    pub(super) fn data_dir(&self) -> anyhow::Result<DataDir> {
        if let (Some(path), None) = (&self.data_dir, &self.config) {
            return Ok(DataDir::new(path));
        }
        let loaded = Config::load_without_files(&self.sources(vec![]))
            .context("the configuration is not valid, and it says where the node's state is")?;
        Ok(loaded.config.data_dir)
    }

    /// The data directory and the node that runs on it.
    pub(super) fn running(&self) -> anyhow::Result<(DataDir, NodeFile)> {
        let directory = self.data_dir()?;
        let node = NodeFile::read(&directory).map_err(|error| {
            let fix = match &error {
                NodeFileError::NotRunning(_) | NodeFileError::Stale { .. } => {
                    "start it with `metal-edge serve`, or name its directory with --data-dir"
                }
                NodeFileError::Read { .. } => "run this as the user that the node runs as",
                NodeFileError::Damaged { .. } => "restart the node, which writes it anew",
            };
            anyhow::Error::new(error).context(Fix(fix))
        })?;
        Ok((directory, node))
    }
}

/// What an operator can do about an error, printed under it.
#[derive(Clone, Debug)]
pub(super) struct Fix(pub(super) &'static str);

impl std::fmt::Display for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
