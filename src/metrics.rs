//! What the node counts and measures, for Prometheus.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::audit::Figures;
use crate::ipam;
use crate::node::tasks;

/// Upper bounds of the request duration buckets, in seconds.
const SECONDS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Probe {
    probe: String,
}

/// All metrics of the node. Cheap to update; encoded on request.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Answered, Counter>,
    durations: Family<Operation, Histogram, fn() -> Histogram>,
    auth_refused: Family<Reason, Counter>,
    connections: Gauge,
    connections_refused: Family<Reason, Counter>,
    probe_failures: Family<Probe, Counter>,
    probe_seconds: Family<Probe, Histogram, fn() -> Histogram>,
    verdict: Gauge,
    verdict_changes: Counter,
    certificate_reload_failures: Counter,
    config_reloads: Counter,
    config_reload_failures: Counter,
}

// === impl Metrics ===

impl Metrics {
    /// Metrics of a node that runs `version`.
    pub fn new(version: &str) -> Self {
        let mut registry = Registry::with_prefix("metal_edge");
        let build = Info::new(vec![("version", version.to_owned())]);
        registry.register("build", "Version of this node", build);
        let metrics = Self {
            registry: Mutex::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            auth_refused: Family::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            probe_failures: Family::default(),
            probe_seconds: Family::new_with_constructor(histogram),
            verdict: Gauge::default(),
            verdict_changes: Counter::default(),
            certificate_reload_failures: Counter::default(),
            config_reloads: Counter::default(),
            config_reload_failures: Counter::default(),
        };
        registry.register(
            "http_requests",
            "Requests answered, by operation and status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to its answer's head",
            metrics.durations.clone(),
        );
        registry.register(
            "auth_refused",
            "Requests refused by authentication or role",
            metrics.auth_refused.clone(),
        );
        registry.register(
            "connections",
            "Open TLS connections",
            metrics.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections that did not come to a request, by reason",
            metrics.connections_refused.clone(),
        );
        registry.register(
            "probe_failures",
            "Probes that failed or did not answer in time",
            metrics.probe_failures.clone(),
        );
        registry.register(
            "probe_duration_seconds",
            "Time that a probe took",
            metrics.probe_seconds.clone(),
        );
        registry.register(
            "verdict",
            "The verdict: 0 down, 1 degraded, 2 healthy",
            metrics.verdict.clone(),
        );
        registry.register(
            "verdict_changes",
            "How often the verdict changed",
            metrics.verdict_changes.clone(),
        );
        registry.register(
            "certificate_reload_failures",
            "Changed certificate files that could not be loaded",
            metrics.certificate_reload_failures.clone(),
        );
        registry.register(
            "config_reloads",
            "How often the configuration was read again and is in effect",
            metrics.config_reloads.clone(),
        );
        registry.register(
            "config_reload_failures",
            "How often the configuration was read again and refused",
            metrics.config_reload_failures.clone(),
        );
        *metrics
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }

    /// Adds figures that are read when the metrics are, not counted here.
    pub fn collect(&self, collector: Box<dyn Collector>) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(collector);
    }

    /// Adds the metric that says which background tasks live.
    pub fn watch_tasks(&self, alive: Family<tasks::Name, Gauge>) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("task_alive", "Whether a background task lives", alive);
    }

    /// Adds what the address pools count.
    pub fn watch_ipam(&self, ipam: &ipam::Metrics) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        ipam.register(&mut registry);
    }

    /// Adds what the audit trail counts.
    pub fn watch_audit(&self, figures: &Figures) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "audit_entries",
            "Entries written to the audit trail",
            figures.written.clone(),
        );
        registry.register(
            "audit_entries_dropped",
            "Entries that are not in the audit trail, by reason",
            figures.dropped(),
        );
        registry.register(
            "audit_entries_waiting",
            "Entries that wait to be written to the audit trail",
            figures.waiting.clone(),
        );
    }

    /// A request was answered.
    pub fn answered(&self, operation: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&Answered { operation, status })
            .inc();
        self.durations
            .get_or_create(&Operation { operation })
            .observe(took.as_secs_f64());
    }

    /// A request was refused before its handler.
    pub fn auth_refused(&self, reason: &'static str) {
        self.auth_refused.get_or_create(&Reason { reason }).inc();
    }

    /// A connection was opened.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A connection that was opened is closed.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// A connection ended before its first request.
    pub fn connection_refused(&self, reason: &'static str) {
        self.connections_refused
            .get_or_create(&Reason { reason })
            .inc();
    }

    /// A probe answered, or did not.
    pub fn probed(&self, probe: &str, took: Duration, passed: bool) {
        let label = Probe {
            probe: probe.to_owned(),
        };
        self.probe_seconds
            .get_or_create(&label)
            .observe(took.as_secs_f64());
        let failures = self.probe_failures.get_or_create(&label);
        if !passed {
            failures.inc();
        }
    }

    /// The verdict is now `level`: 0 down, 1 degraded, 2 healthy.
    pub fn verdict(&self, level: u8) {
        if self.verdict.set(i64::from(level)) != i64::from(level) {
            self.verdict_changes.inc();
        }
    }

    /// Changed certificate files could not be loaded.
    pub fn certificate_reload_failed(&self) {
        self.certificate_reload_failures.inc();
    }

    /// The configuration was read again and is in effect.
    pub fn config_reloaded(&self) {
        self.config_reloads.inc();
    }

    /// The configuration was read again and refused.
    pub fn config_reload_failed(&self) {
        self.config_reload_failures.inc();
    }

    /// The metrics in the OpenMetrics text format.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        text::encode(&mut out, &registry)?;
        Ok(out)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(..)")
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}
