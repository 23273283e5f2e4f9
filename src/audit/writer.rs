//! From the queue to the store.

use std::sync::Arc;
use std::time::Duration;

use metal_storage::{Batch, Error, Revision, Scope, Store, Stored, Version};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::Event;
use super::bucket::Bucket;
use super::entry::Entry;
use super::trail::{Figures, Message};

/// Entries of one batch; each is a guard and a write.
const CHUNK: usize = 100;
/// Bytes of the entries of one batch, about.
const CHUNK_BYTES: usize = 512 * 1024;
/// How long an entry waits for others to be written with.
const LINGER: Duration = Duration::from_millis(50);
/// Shortest and longest wait before a store that failed is tried again.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Writes what is in the queue, many entries in one batch.
pub struct Writer {
    store: Arc<dyn Store>,
    scope: Scope,
    most: u32,
    figures: Figures,
    queue: Receiver<Message>,
    /// The buckets that are being filled: of unknown callers, and of known ones.
    buckets: [Option<Stored<Bucket>>; 2],
    /// Entries that found no room, as far as they are logged.
    logged: u64,
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        (store, scope): (Arc<dyn Store>, Scope),
        most: u32,
        figures: Figures,
        queue: Receiver<Message>,
    ) -> Self {
        Self {
            store,
            scope,
            most,
            figures,
            queue,
            buckets: [None, None],
            logged: 0,
        }
    }

    /// Writes until every [`Trail`](super::Trail) is gone.
    pub async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            let (events, waiters) = self.gather(first).await;
            self.write(events).await;
            self.report_overflow();
            for waiter in waiters {
                // Who does not wait any more needs no answer.
                let _ = waiter.send(());
            }
        }
    }

    /// What comes within a moment, up to a batch; nothing is waited for when somebody waits.
    async fn gather(&mut self, first: Message) -> (Vec<Event>, Vec<oneshot::Sender<()>>) {
        let (mut events, mut waiters, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(first);
        let gathered = async {
            while let Some(message) = next.take() {
                match message {
                    Message::Event(event) => {
                        bytes += event.size();
                        events.push(*event);
                    }
                    Message::Flush(waiter) => {
                        waiters.push(waiter);
                        break;
                    }
                }
                if events.len() >= CHUNK || bytes >= CHUNK_BYTES {
                    break;
                }
                next = self.queue.recv().await;
            }
        };
        // Whatever was received before the time is up is in the lists.
        let _ = timeout(LINGER, gathered).await;
        (events, waiters)
    }

    /// Writes all of them, however long the store is away.
    async fn write(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let count = events.len();
        match self.commit(&events).await {
            Ok(()) => self.written(count, 0),
            // One of them is out of some bound; the others are not to suffer for it.
            Err(_) if count > 1 => {
                for event in events {
                    let refused = self.commit(&[event]).await.is_err();
                    self.written(1, usize::from(refused));
                }
            }
            Err(_) => self.written(1, 1),
        }
    }

    fn written(&self, count: usize, refused: usize) {
        self.figures.written.inc_by((count - refused) as u64);
        self.figures.waiting.dec_by(count as i64);
        for _ in 0..refused {
            self.figures.drop_one("store");
        }
    }

    /// Commits them in one batch, trying again for as long as the store is unavailable.
    ///
    /// # Errors
    /// What no repetition can help.
    async fn commit(&mut self, events: &[Event]) -> Result<(), Error> {
        let [mut wait, longest] = WAITS;
        let mut prepared = None;
        loop {
            let (batch, buckets) = match prepared.take() {
                Some(prepared) => prepared,
                None => self.batch(events)?,
            };
            match self.store.commit(batch.clone()).await {
                Ok(revision) => {
                    self.filled(buckets, revision);
                    return Ok(());
                }
                // The bucket was forgotten, with its entries: another one is begun.
                Err(Error::Conflict(_)) => self.buckets = [None, None],
                Err(error @ (Error::Unavailable { .. } | Error::Unknown(_))) => {
                    tracing::warn!(%error, entries = events.len(), "the audit trail waits");
                    // The same batch, which is applied once at the most.
                    prepared = Some((batch, buckets));
                    sleep(wait).await;
                    wait = (wait * 2).min(longest);
                }
                Err(error) => {
                    tracing::error!(%error, entries = events.len(), "not in the audit trail");
                    return Err(error);
                }
            }
        }
    }

    fn filled(&mut self, buckets: [Option<Bucket>; 2], revision: Revision) {
        for (slot, value) in self.buckets.iter_mut().zip(buckets) {
            let unchanged = slot.as_ref().map(|slot| &slot.value) == value.as_ref();
            if !unchanged {
                let version = Version::from(revision);
                *slot = value.map(|value| Stored { value, version });
            }
        }
    }

    /// The entries, and the buckets as they are to be.
    fn batch(&self, events: &[Event]) -> Result<(Batch, [Option<Bucket>; 2]), Error> {
        let mut batch = Batch::new(self.scope.clone());
        let mut buckets = self.buckets.clone().map(|b| b.map(|b| b.value));
        let mut fresh = Vec::new();
        for event in events {
            let slot = &mut buckets[usize::from(event.is_known())];
            if slot.as_ref().is_none_or(|b| b.is_full(event, self.most)) {
                fresh.extend(slot.take());
            }
            let bucket = slot.get_or_insert_with(|| Bucket::new(event));
            bucket.add(event);
            batch.insert(&Entry::new(event.clone(), &bucket.id))?;
        }
        for bucket in fresh.iter().chain(buckets.iter().flatten()) {
            let old = self.buckets.iter().flatten();
            match old.into_iter().find(|old| old.value.id == bucket.id) {
                Some(old) if old.value == *bucket => {}
                Some(old) => {
                    batch.replace(old, bucket)?;
                }
                None => {
                    batch.insert(bucket)?;
                }
            }
        }
        Ok((batch, buckets))
    }

    fn report_overflow(&mut self) {
        let overflown = self.figures.overflown();
        if overflown > self.logged {
            let entries = overflown - self.logged;
            tracing::error!(entries, "not in the audit trail: its queue was full");
            self.logged = overflown;
        }
    }
}
