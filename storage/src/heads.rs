use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::revision::Revision;
use crate::scope::Scope;

/// The newest acknowledged revision of each scope, for those who wait for the next.
///
/// A waiter is told that there is something new, not how much: it holds one number however slow
/// it is.
#[derive(Debug)]
pub(crate) struct Heads {
    /// `None` once closed.
    scopes: Mutex<Option<HashMap<Scope, watch::Sender<Revision>>>>,
    wait: Duration,
}

// === impl Heads ===

impl Heads {
    /// Waiters give up after `wait`.
    pub(crate) fn new(wait: Duration) -> Self {
        Self {
            scopes: Mutex::new(Some(HashMap::new())),
            wait,
        }
    }

    /// Tells of an acknowledged revision; never goes back.
    pub(crate) fn advance(&self, scope: &Scope, revision: Revision) {
        self.with(scope, |head| {
            head.send_if_modified(|now| {
                let newer = revision > *now;
                *now = revision.max(*now);
                newer
            });
        });
    }

    /// Follows the head of a scope. The receiver closes when the store does.
    pub(crate) fn follow(&self, scope: &Scope) -> Result<watch::Receiver<Revision>> {
        self.with(scope, watch::Sender::subscribe)
            .ok_or_else(closed)
    }

    /// The scopes that someone waits for.
    pub(crate) fn followed(&self) -> Vec<Scope> {
        let scopes = self.scopes();
        let waited_for = scopes
            .iter()
            .flatten()
            .filter(|(_, head)| head.receiver_count() > 0);
        waited_for.map(|(scope, _)| scope.clone()).collect()
    }

    /// Waits, bounded, until the scope has reached a revision; gives what follows its head.
    pub(crate) async fn reach(
        &self,
        scope: &Scope,
        revision: Revision,
    ) -> Result<watch::Receiver<Revision>> {
        let mut head = self.follow(scope)?;
        let wait = async { head.wait_for(|now| *now >= revision).await.is_ok() };
        match tokio::time::timeout(self.wait, wait).await {
            Ok(true) => Ok(head),
            Ok(false) => Err(closed()),
            Err(_) => Err(Error::Behind {
                scope: scope.clone(),
                reached: *head.borrow(),
            }),
        }
    }

    /// Ends every wait, for good.
    pub(crate) fn close(&self) {
        *self.scopes() = None;
    }

    fn with<T>(&self, scope: &Scope, f: impl FnOnce(&watch::Sender<Revision>) -> T) -> Option<T> {
        let mut scopes = self.scopes();
        let head = scopes
            .as_mut()?
            .entry(scope.clone())
            .or_insert_with(|| watch::channel(Revision::ZERO).0);
        Some(f(head))
    }

    fn scopes(&self) -> MutexGuard<'_, Option<HashMap<Scope, watch::Sender<Revision>>>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is answered once a store is closed.
pub(crate) fn closed() -> Error {
    Error::Unavailable {
        reason: "it is closed".into(),
    }
}
