//! The queue.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Event;
use crate::config;

/// What the writer is told.
pub(super) enum Message {
    /// To be written.
    Event(Box<Event>),
    /// Somebody waits until everything before it is written.
    Flush(oneshot::Sender<()>),
}

/// Why an entry was not written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reason {
    pub reason: &'static str,
}

/// What the trail counts, for the metrics. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Entries that were written.
    pub(crate) written: Counter,
    /// Entries that were not, by reason: `queue` (it was full), `store` (it refused).
    pub(super) dropped: Family<Reason, Counter>,
    /// Entries that wait to be written.
    pub(crate) waiting: Gauge,
}

/// Takes entries, and never makes anybody wait. Cloning is cheap.
#[derive(Clone)]
pub struct Trail {
    queue: Sender<Message>,
    figures: Figures,
    pub(super) node: Arc<str>,
    pub(super) max_body: usize,
}

// === impl Figures ===

impl Figures {
    /// Entries that were not written, by reason.
    pub(crate) fn dropped(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.dropped.clone()
    }

    pub(super) fn drop_one(&self, reason: &'static str) {
        self.dropped.get_or_create(&Reason { reason }).inc();
    }

    /// Entries that found no room in the queue.
    pub(super) fn overflown(&self) -> u64 {
        let reason = Reason { reason: "queue" };
        self.dropped.get_or_create(&reason).get()
    }
}

// === impl Trail ===

impl Trail {
    pub(super) fn new(node: &str, config: &config::Audit) -> (Self, Receiver<Message>) {
        let (queue, messages) = mpsc::channel(config.queue);
        let trail = Self {
            queue,
            figures: Figures::default(),
            node: node.into(),
            max_body: config.max_body.as_usize(),
        };
        (trail, messages)
    }

    /// What it counts.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Writes an entry, later. What finds no room in the queue is counted, and logged by the
    /// writer.
    pub(super) fn record(&self, event: Event) {
        match self.queue.try_send(Message::Event(Box::new(event))) {
            Ok(()) => {
                self.figures.waiting.inc();
            }
            Err(_) => self.figures.drop_one("queue"),
        }
    }

    /// Waits until what was recorded before is written, at most for `patience`; says whether it
    /// is.
    pub async fn flush(&self, patience: Duration) -> bool {
        let flushed = async {
            let (done, written) = oneshot::channel();
            let asked = self.queue.send(Message::Flush(done)).await;
            asked.is_ok() && written.await.is_ok()
        };
        timeout(patience, flushed).await.unwrap_or(false)
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail(..)")
    }
}
