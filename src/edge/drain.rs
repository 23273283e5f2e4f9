//! Telling connections to finish, and knowing when the last request is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

/// How clients are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// As long as they like.
    Serving,
    /// Each answer closes its HTTP/1.1 connection, so that clients come back
    /// over a new one, which the network may take elsewhere.
    Leaving,
    /// Every connection ends as soon as its requests are answered; HTTP/2
    /// clients get GOAWAY. A connection that is opened now is served.
    Closing,
    /// Every connection ends, also one that is opened now.
    Stopping,
}

/// Sets the pace and counts what is in flight. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Drain {
    pace: watch::Sender<Pace>,
    in_flight: Arc<InFlight>,
}

#[derive(Debug, Default)]
struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

/// A request in flight, until it is dropped.
#[derive(Debug)]
pub struct Flight(Arc<InFlight>);

// === impl Drain ===

impl Default for Drain {
    fn default() -> Self {
        Self {
            pace: watch::Sender::new(Pace::Serving),
            in_flight: Arc::default(),
        }
    }
}

impl Drain {
    /// Sets how clients are treated from now on.
    pub fn set(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    /// How clients are treated.
    pub fn pace(&self) -> Pace {
        *self.pace.borrow()
    }

    fn subscribe(&self) -> watch::Receiver<Pace> {
        self.pace.subscribe()
    }

    /// Returns when a connection that was opened now should end.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut pace = self.subscribe();
        let mut spared = *pace.borrow_and_update() == Pace::Closing;
        async move {
            loop {
                match *pace.borrow_and_update() {
                    Pace::Stopping => return,
                    Pace::Closing if !spared => return,
                    Pace::Closing => {}
                    Pace::Serving | Pace::Leaving => spared = false,
                }
                if pace.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// Counts a request as in flight.
    pub fn enter(&self) -> Flight {
        self.in_flight.count.fetch_add(1, Ordering::AcqRel);
        Flight(Arc::clone(&self.in_flight))
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count.load(Ordering::Acquire)
    }

    /// Returns at a moment when no request is in flight.
    pub async fn idle(&self) {
        loop {
            let idle = self.in_flight.idle.notified();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }
}

// === impl Flight ===

impl Drop for Flight {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn closing_ends_the_connections_of_before_and_stopping_ends_all() {
        let drain = Drain::default();
        let before = drain.ended();
        drain.set(Pace::Leaving);
        drain.set(Pace::Closing);
        before.await;
        let mut after = Box::pin(drain.ended());
        assert!(futures::poll!(&mut after).is_pending());
        drain.set(Pace::Stopping);
        after.await;
        drain.ended().await;
    }

    #[tokio::test]
    async fn idle_waits_for_the_last_request() {
        let drain = Drain::default();
        let (first, second) = (drain.enter(), drain.enter());
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.idle().await }
        });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .expect("woken")
            .expect("no panic");
    }
}
