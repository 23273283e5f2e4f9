//! The background tasks, their owner.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::task::JoinSet;

/// Names a task in the metric that says whether it lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Name {
    task: &'static str,
}

/// Tasks that live as long as the node. One that ends, or panics, is the end
/// of the node: whoever watches the process starts it again, whole.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<&'static str>,
    alive: Family<Name, Gauge>,
}

// === impl Tasks ===

impl Tasks {
    /// Which tasks live: 1, or 0.
    pub fn alive(&self) -> Family<Name, Gauge> {
        self.alive.clone()
    }

    /// Starts `task`, which is not expected to end.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.get_or_create_owned(&Name { task: name });
        alive.set(1);
        self.set.spawn(async move {
            let _alive = Alive(alive);
            task.await;
            name
        });
    }

    /// Returns when a task ended, with what is known of it.
    pub async fn failed(&mut self) -> String {
        match self.set.join_next().await {
            Some(Ok(name)) => format!("the task {name} ended"),
            Some(Err(error)) => format!("a task failed: {error}"),
            None => std::future::pending().await,
        }
    }
}

/// Takes the task's metric down, however the task ends.
struct Alive(Gauge);

// === impl Alive ===

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(0);
    }
}
