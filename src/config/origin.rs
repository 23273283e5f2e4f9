use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Embedded in the program, or found out on this machine.
    Default,
    /// A file.
    File {
        /// Its path as given.
        path: Arc<Path>,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// An environment variable, by name.
    Environment(String),
    /// A command line flag, such as `--data-dir`.
    Flag(&'static str),
}

// === impl Origin ===

impl Origin {
    /// The place of byte `offset` of `text`, the content of `path`.
    pub(super) fn in_file(path: &Arc<Path>, text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self::File {
            path: path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// A path as meant: one in a file counts from the directory of that file,
    /// any other from the current directory.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let base = match self {
            Self::File { path, .. } => path.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        };
        let joined = base.join(path);
        std::path::absolute(&joined).unwrap_or(joined)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
