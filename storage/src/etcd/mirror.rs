use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::Shared;
use super::entry::Logged;
use super::fault::Fault;
use super::head::Head;
use super::layout::Layout;
use super::load;
use super::view::{Lost, View};
use crate::change::Change;
use crate::error::{Error, Result};
use crate::revision::Revision;
use crate::scope::Scope;

/// Between two questions of which the first had no answer.
const REST: Duration = Duration::from_millis(50);

/// A copy of one scope in memory, and what keeps it up.
///
/// It only ever goes forward, from one revision of the scope to a later one. A read of the latest
/// asks etcd how far the scope is and what is missing here; those that wait at the same time share
/// one question.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) scope: Scope,
    pub(super) layout: Layout,
    pub(super) shared: Arc<Shared>,
    /// Set once it was loaded.
    view: OnceLock<RwLock<View>>,
    /// Why it could not be loaded yet, each time that it could not.
    failed: watch::Sender<Option<Fault>>,
    /// Questions asked.
    asked: AtomicU64,
    answered: Mutex<Answered>,
}

/// The last answer, and which questions it answers.
#[derive(Debug)]
struct Answered {
    up_to: u64,
    answer: Result<(), Fault>,
}

// === impl Mirror ===

impl Mirror {
    pub(super) fn new(scope: Scope, shared: Arc<Shared>) -> Self {
        Self {
            layout: Layout::new(&shared.options.prefix, &scope),
            scope,
            shared,
            view: OnceLock::new(),
            failed: watch::channel(None).0,
            asked: AtomicU64::new(0),
            answered: Mutex::new(Answered {
                up_to: 0,
                answer: Ok(()),
            }),
        }
    }

    /// Loads the view for the first time: of the latest, or, if no majority can be asked, of
    /// whatever one member has. Whoever owns the mirror calls this until it succeeds.
    pub(super) async fn load(&self) -> Result<(), Fault> {
        match self.read_all().await {
            Ok(view) => {
                let revision = view.head().revision;
                let _ = self.view.set(RwLock::new(view));
                self.failed.send_replace(None);
                self.tell(revision);
                Ok(())
            }
            Err(fault) => {
                self.failed.send_replace(Some(fault.clone()));
                Err(fault)
            }
        }
    }

    /// The view; waits, bounded, for it to be loaded, or for why it is not.
    pub(super) async fn loaded(&self) -> Result<&RwLock<View>, Fault> {
        let mut failed = self.failed.subscribe();
        if let Some(view) = self.view.get() {
            return Ok(view);
        }
        let wait = self.shared.options.read_wait;
        if tokio::time::timeout(wait, failed.changed()).await.is_err() {
            let why = failed.borrow().clone();
            return Err(why.unwrap_or_else(|| Fault::NotDone(late(wait))));
        }
        let why = failed.borrow().clone();
        self.view
            .get()
            .ok_or_else(|| why.unwrap_or_else(|| Fault::NotDone(late(wait))))
    }

    /// Reads the view as it is; see [`loaded`](Self::loaded).
    pub(super) async fn view(&self) -> Result<RwLockReadGuard<'_, View>> {
        let view = self.loaded().await.map_err(Fault::into_error)?;
        Ok(view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The view's head; zero before it is loaded.
    pub(super) fn head(&self) -> Head {
        let view = self.view.get();
        view.map(|view| view.read().unwrap_or_else(PoisonError::into_inner).head())
            .unwrap_or_default()
    }

    /// At most so many of the changes after a revision; none if there are none yet.
    ///
    /// If they are forgotten, the revision named is the cluster's oldest and not only this
    /// view's, which may be behind: who goes on from it at another node shall find it there.
    pub(super) async fn changes(&self, since: Revision, limit: usize) -> Result<Vec<Arc<Change>>> {
        match self.view().await?.changes(since, limit) {
            Err(Error::Compacted(_)) => {}
            changes => return changes,
        }
        self.catch_up().await;
        self.view().await?.changes(since, limit)
    }

    /// Brings the view to everything that was committed before the call.
    ///
    /// Costs a round trip to the leader, shared with all that call at the same time. Is tried for
    /// [`read_wait`](super::EtcdOptions::read_wait), so that neither a connection that breaks nor
    /// an election is an error.
    pub(super) async fn latest(&self) -> Result<()> {
        let wait = self.shared.options.read_wait;
        let mut why = Fault::NotDone(late(wait));
        let tried = tokio::time::timeout(wait, async {
            loop {
                match self.share().await {
                    Err(fault @ (Fault::NotDone(_) | Fault::Unknown(_))) => why = fault,
                    answer => break answer,
                }
                tokio::time::sleep(REST).await;
            }
        });
        let answer = tried.await;
        answer.unwrap_or(Err(why)).map_err(Fault::into_error)
    }

    /// Brings the view to this revision; waits for it, bounded.
    pub(super) async fn reach(&self, revision: Revision) -> Result<()> {
        drop(self.view().await?);
        if self.head().revision < revision {
            self.catch_up().await;
        }
        let heads = &self.shared.heads;
        heads.reach(&self.scope, revision).await.map(drop)
    }

    /// Asks once. That nobody answers does not matter if the rest comes by itself, or if what is
    /// here will do.
    async fn catch_up(&self) {
        let wait = self.shared.options.read_wait;
        let _ = tokio::time::timeout(wait, self.share()).await;
    }

    /// As [`latest`](Self::latest), once, however long it takes: there may be much to read.
    pub(super) async fn share(&self) -> Result<(), Fault> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answered = self.answered.lock().await;
        if answered.up_to >= mine {
            return answered.answer.clone();
        }
        // Whoever has asked by now is answered by what is read from here on.
        let up_to = self.asked.load(Ordering::SeqCst);
        let answer = self.pull().await;
        *answered = Answered {
            up_to,
            answer: answer.clone(),
        };
        answer
    }

    /// Asks etcd for what is missing.
    pub(super) async fn pull(&self) -> Result<(), Fault> {
        self.loaded().await?;
        let known = self.head();
        let cluster = &self.shared.cluster;
        let followed = load::follow(cluster, &self.layout, &self.scope, known.revision).await;
        let (head, changes) = match followed {
            Err(Fault::Compacted) => return self.reload().await,
            followed => followed?,
        };
        if head.mod_revision < known.mod_revision {
            return Err(Fault::Refused(Error::Corrupt {
                what: format!("the head of {}", self.scope),
                cause: format!(
                    "it is older than before: was etcd restored or emptied? It was at revision {}",
                    known.revision
                ),
            }));
        }
        self.advance(head, changes).await
    }

    /// Takes over what is known to have been committed.
    pub(super) async fn advance(&self, head: Head, changes: Vec<Logged>) -> Result<(), Fault> {
        let view = self.loaded().await?;
        let advanced = {
            let mut view = view.write().unwrap_or_else(PoisonError::into_inner);
            view.advance(head, changes)
        };
        match advanced {
            Ok(()) => {
                self.tell(head.revision);
                Ok(())
            }
            Err(Lost::Outrun) => self.reload().await,
            Err(Lost::Back(error)) => Err(Fault::Refused(error)),
        }
    }

    /// Loads everything again, the changes between being forgotten.
    async fn reload(&self) -> Result<(), Fault> {
        let new = self.read_all().await?;
        let revision = new.head().revision;
        let view = self.loaded().await?;
        {
            let mut view = view.write().unwrap_or_else(PoisonError::into_inner);
            if new.head().mod_revision > view.head().mod_revision {
                *view = new;
            }
        }
        self.tell(revision);
        Ok(())
    }

    async fn read_all(&self) -> Result<View, Fault> {
        let options = &self.shared.options;
        load::load(
            &self.shared.cluster,
            &self.layout,
            &self.scope,
            options.request_wait,
        )
        .await
    }

    fn tell(&self, revision: Revision) {
        self.shared.heads.advance(&self.scope, revision);
    }
}

fn late(wait: Duration) -> String {
    format!("no answer from etcd in {wait:?}")
}
