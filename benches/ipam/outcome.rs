use std::time::Duration;

use crate::postgres::Postgres;

/// What clients did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Acquires and releases, both.
    pub pairs: usize,
    /// Those that failed.
    pub failed: usize,
    pub seconds: f64,
    /// Of the acquires.
    pub p50: Duration,
    pub p99: Duration,
    /// Written by the server meanwhile.
    pub bytes: Option<u64>,
}

// === impl Outcome ===

impl Outcome {
    /// Of the durations of acquires.
    pub fn of(mut took: Vec<Duration>, seconds: f64) -> Self {
        took.sort_unstable();
        let at = |per_mille: usize| took.get(took.len() * per_mille / 1000).copied();
        Self {
            pairs: took.len(),
            seconds,
            p50: at(500).unwrap_or_default(),
            p99: at(990).unwrap_or_default(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// Pairs a second.
    pub fn rate(&self) -> f64 {
        self.pairs as f64 / self.seconds
    }

    pub fn print(&self, name: &str) {
        let bytes = match self.bytes {
            Some(bytes) if self.pairs > 0 => {
                // Of both halves of a pair.
                format!("  {} bytes written for each", bytes / self.pairs as u64 / 2)
            }
            _ => String::new(),
        };
        let failed = match self.failed {
            0 => String::new(),
            failed => format!("  {failed} failed"),
        };
        println!(
            "  {name:22} {:9.1} pairs/s  p50 {:9.2?}  p99 {:9.2?}{bytes}{failed}",
            self.rate(),
            self.p50,
            self.p99
        );
    }
}

/// Bytes that a server ever wrote to its log.
pub fn written(server: &Postgres) -> u64 {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::INT8";
    server.sql("postgres", sql).parse().unwrap()
}
