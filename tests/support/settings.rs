use std::{fmt::Write as _, net::SocketAddr, path::Path};

use super::free_address;

/// What a test wants of its node; the rest is free loopback ports and defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    pub api: SocketAddr,
    pub admin: SocketAddr,
    /// The node's name.
    pub node: String,
    /// What stands before `metal-edge` on the command line, e.g. `taskset`.
    pub wrapper: Vec<String>,
    /// Sections and keys appended to the file, per section in the order given.
    extra: Vec<(String, String)>,
}

// === impl Settings ===

impl Settings {
    pub fn new() -> Self {
        Self {
            api: free_address(),
            admin: free_address(),
            node: "test-1".to_owned(),
            wrapper: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// Adds `line`, a TOML `key = value`, to `section`.
    pub fn with(mut self, section: &str, line: impl Into<String>) -> Self {
        self.extra.push((section.to_owned(), line.into()));
        self
    }

    /// Puts the store `which`, `global` or `local`, on a server; its password stands in a file.
    pub fn with_store(self, which: &str, url: &str, password: &Path) -> Self {
        let file = password.display().to_string();
        self.with("store", format!("{which} = {url:?}"))
            .with("store", format!("{which}-password-file = {file:?}"))
    }

    /// The configuration file of a node with its data in `data_dir`.
    pub fn to_toml(&self, data_dir: &Path) -> String {
        let mut sections: Vec<(&str, Vec<String>)> = vec![
            (
                "",
                vec![
                    "partition = \"test\"".into(),
                    format!("node = {:?}", self.node),
                    format!("data-dir = {:?}", data_dir.display().to_string()),
                ],
            ),
            (
                "listen",
                vec![
                    format!("api = [\"{}\"]", self.api),
                    format!("admin = \"{}\"", self.admin),
                ],
            ),
            // A test kills the process that serves, not one that guards it.
            ("guard", vec!["enabled = false".into()]),
        ];
        for (section, line) in &self.extra {
            match sections.iter_mut().find(|(name, _)| name == section) {
                Some((_, lines)) => lines.push(line.clone()),
                None => sections.push((section, vec![line.clone()])),
            }
        }
        let mut toml = String::new();
        for (name, lines) in sections {
            if !name.is_empty() {
                writeln!(toml, "[{name}]").expect("a string takes everything");
            }
            for line in lines {
                writeln!(toml, "{line}").expect("a string takes everything");
            }
        }
        toml
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
