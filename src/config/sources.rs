use std::{env, path::PathBuf};

/// What a configuration is put together from, besides the embedded defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; absent: `METAL_EDGE_CONFIG`, then
    /// [`Sources::SYSTEM_FILE`] where it exists, then no file.
    pub file: Option<PathBuf>,
    /// Names and values; those without the prefix `METAL_EDGE_` do not count.
    pub environment: Vec<(String, String)>,
    /// Flags that stand for a key.
    pub flags: Vec<Flag>,
}

/// A flag that stands for a key.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Such as `--data-dir`.
    pub name: &'static str,
    /// Such as `data-dir`.
    pub key: &'static str,
    /// As given; a list is separated by commas.
    pub value: String,
}

// === impl Sources ===

impl Sources {
    /// The file that is read where none is named.
    pub const SYSTEM_FILE: &str = "/etc/metal-edge/metal-edge.toml";

    /// The environment of this process. A value that is no UTF-8 keeps its
    /// place, with the offending bytes replaced, and is then refused as what it
    /// is.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self {
            file,
            environment: env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            flags,
        }
    }

    /// The file that these sources name.
    pub(super) fn file(&self) -> Option<PathBuf> {
        if self.file.is_some() {
            return self.file.clone();
        }
        match self.variable("METAL_EDGE_CONFIG") {
            Some("") => None,
            Some(path) => Some(path.into()),
            None => Some(PathBuf::from(Self::SYSTEM_FILE)).filter(|path| path.exists()),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
