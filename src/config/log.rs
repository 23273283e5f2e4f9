use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// `[log]`: what is written to standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level (`info`) or filter directives (`info,metal_bgp=debug`), checked.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line a record, for people.
    Text,
    /// One JSON object a record.
    Json,
}

// === impl Log ===

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let level: String = reader.get("log.level");
        if let Err(error) = EnvFilter::try_new(&level) {
            reader.problem(
                "log.level",
                format!("expected a level like \"info\": {error}"),
            );
        }
        Self {
            level,
            format: reader.get("log.format"),
        }
    }
}
