use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What the allocators of a node count. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Requests that were carried out.
    pub(super) applied: Counter,
    /// Requests that were refused or failed.
    pub(super) refused: Counter,
    /// Batches that were committed.
    pub(super) batches: Counter,
    /// Batches that were made again, because another node had changed a pool meanwhile.
    pub(super) retries: Counter,
    /// Reads of heads and of free intervals.
    pub(super) reads: Counter,
    /// Allocators whose task lives.
    pub(super) alive: Gauge,
}

// === impl Metrics ===

impl Metrics {
    /// Adds them to a registry, as `ipam_…`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("ipam");
        registry.register(
            "applied",
            "Requests to address pools that were carried out",
            self.applied.clone(),
        );
        registry.register(
            "refused",
            "Requests to address pools that were refused or failed",
            self.refused.clone(),
        );
        registry.register(
            "batches",
            "Commits of requests to address pools, which several may share",
            self.batches.clone(),
        );
        registry.register(
            "retries",
            "Commits made again because another node had changed an address pool",
            self.retries.clone(),
        );
        registry.register(
            "reads",
            "Reads of address pools that were not remembered",
            self.reads.clone(),
        );
        registry.register(
            "allocators_alive",
            "Allocators of address pools whose task lives",
            self.alive.clone(),
        );
    }
}
