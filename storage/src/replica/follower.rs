use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Shared;
use super::copy::{self, Copy};
use super::filling::Filling;
use super::status::Proof;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::redb::Copied;
use crate::revision::Revision;
use crate::snapshot::snapshot;
use crate::store::Read;

/// Changes that are kept together at most.
const TOGETHER: usize = 32;

/// How often the file is told how old it is, for after a restart.
const NOTE: Duration = Duration::from_secs(10);

/// Follows the authority into the file.
pub(super) struct Follower {
    shared: Arc<Shared>,
    /// When the file was told how old it is.
    noted: Option<Instant>,
}

/// Why one cannot follow on.
enum End {
    /// What is here cannot be followed from; why.
    Anew(&'static str),
    /// Something failed, and may not the next time.
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The authority was asked then, and was at this revision; we were at the other.
struct Asked {
    at: Instant,
    held: Revision,
    answer: Result<Revision>,
}

// === impl Follower ===

impl Follower {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            noted: None,
        }
    }

    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let options = &shared.options;
        let mut wait = options.backoff_min;
        let mut copied: Option<Instant> = None;
        loop {
            if shared.board.borrow().closed {
                std::future::pending::<()>().await;
            }
            let end = match shared.copy() {
                Some(copy) => self.go_on(&copy).await,
                None => End::Anew("there is no copy yet"),
            };
            if shared.board.borrow().following {
                wait = options.backoff_min;
            }
            let failed = match end {
                End::Failed(error) => Some(error),
                End::Anew(reason) => {
                    let failed = self.begin_anew(reason).await.err();
                    let again = copied.replace(Instant::now());
                    if failed.is_none() && again.is_none_or(|at| at.elapsed() > options.backoff_max)
                    {
                        continue;
                    }
                    failed
                }
            };
            if let Some(error) = failed {
                self.failed(&error);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(options.backoff_max);
        }
    }

    /// Says that one does not follow any more: loud once.
    fn failed(&self, error: &Error) {
        let board = &self.shared.board;
        let scope = &self.shared.scope;
        match board.send_if_modified(|board| std::mem::replace(&mut board.following, false)) {
            true => tracing::warn!(%scope, %error, "the replica cannot follow its authority"),
            false => tracing::debug!(%scope, %error, "the replica cannot follow its authority"),
        }
    }

    /// Follows from what the copy has, until that ends.
    async fn go_on(&mut self, copy: &Copy) -> End {
        match self.try_go_on(copy).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn try_go_on(&mut self, copy: &Copy) -> Result<std::convert::Infallible, End> {
        let shared = Arc::clone(&self.shared);
        let newest = copy.newest(&shared.scope).await?;
        let mut held = newest.map_or(Revision::ZERO, |(revision, _)| revision);
        // A fault of the file may have taken some back.
        shared
            .board
            .send_modify(|board| board.revision = Some(held));
        let mut changes = shared.authority.watch(shared.scope.clone(), held.before());
        if let Some((revision, op)) = newest {
            match timeout(shared.options.patience, changes.next()).await {
                Ok(Some(Ok(change))) if change.revision == revision && change.op == op => {}
                Ok(Some(Ok(_))) => return Err(End::Anew("the authority has another history")),
                Ok(Some(Err(Error::Compacted(_)))) => {
                    return Err(End::Anew("the authority has forgotten what comes next"));
                }
                Ok(Some(Err(Error::Behind { .. }))) | Err(_) => {
                    return Err(self.look_whether_it_went_back(held).await);
                }
                Ok(Some(Err(error))) => return Err(error.into()),
                Ok(None) => return Err(silent().into()),
            }
        }
        let mut changes = changes.ready_chunks(TOGETHER);
        let mut ticks = interval(shared.options.ask_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = FuturesUnordered::new();
        // What was acknowledged before then is here once this revision is.
        let mut unproven: Option<(Instant, Revision)> = None;
        let mut told = Instant::now();
        loop {
            tokio::select! {
                some = changes.next() => {
                    held = self.take(copy, some).await?;
                    told = Instant::now();
                }
                Some(Asked { at, held: then, answer }) = asked.next() => match answer? {
                    now if now < then => return Err(End::Anew("the authority went back")),
                    now => unproven = Some((at, now)),
                },
                _ = ticks.tick() => match unproven {
                    Some(_) if told.elapsed() > shared.options.patience => {
                        return Err(silent().into());
                    }
                    None if asked.is_empty() => {
                        told = Instant::now();
                        asked.push(ask(&shared, held));
                    }
                    _ => {}
                },
            }
            if let Some((at, revision)) = unproven
                && revision <= held
            {
                unproven = None;
                self.proven(copy, at).await;
            }
        }
    }

    /// Keeps changes that have come.
    async fn take(&self, copy: &Copy, some: Option<Vec<Result<Change>>>) -> Result<Revision, End> {
        let mut changes = Vec::new();
        let mut ended = None;
        for change in some.unwrap_or_else(|| vec![Err(silent())]) {
            match change {
                Ok(change) => changes.push(change),
                Err(error) => ended = Some(error),
            }
        }
        let scope = self.shared.scope.clone();
        let newest = changes.last().map(|change| change.revision);
        if let Some(revision) = newest {
            let records = Vec::new();
            let copied = Copied {
                scope,
                records,
                changes,
            };
            copy.take(copied).await?;
            self.shared
                .board
                .send_modify(|board| board.revision = Some(revision));
        }
        match (ended, newest) {
            (Some(Error::Compacted(_)), _) => {
                Err(End::Anew("the authority has forgotten what comes next"))
            }
            (Some(error), _) => Err(error.into()),
            (None, Some(revision)) => Ok(revision),
            (None, None) => Err(silent().into()),
        }
    }

    /// What was acknowledged before then is here.
    async fn proven(&mut self, copy: &Copy, at: Instant) {
        self.shared.board.send_modify(|board| {
            board.following = true;
            board.proof = Some(Proof {
                at,
                earlier: Duration::ZERO,
            });
        });
        if self.noted.is_none_or(|noted| noted.elapsed() >= NOTE) {
            self.noted = Some(Instant::now());
            // The file is asked again with the next change.
            if let Err(error) = copy.write(&self.shared.note.proven_now()).await {
                tracing::debug!(%error, "the replica's age is not kept");
            }
        }
    }

    /// The authority does not tell how it came to the revision that we have.
    async fn look_whether_it_went_back(&self, held: Revision) -> End {
        match ask(&self.shared, held).await.answer {
            Ok(now) if now < held => End::Anew("the authority went back"),
            Ok(_) => silent().into(),
            Err(error) => error.into(),
        }
    }

    /// Copies the scope whole into a new file, which then takes the place of the old one.
    async fn begin_anew(&mut self, reason: &str) -> Result<()> {
        // No file is made for an authority that is away.
        ask(&self.shared, Revision::ZERO).await.answer?;
        tracing::info!(scope = %self.shared.scope, reason, "copying the scope whole");
        let made = self.copy_whole().await;
        if made.is_err() {
            copy::discard(&self.shared.options.path);
        }
        made
    }

    async fn copy_whole(&mut self) -> Result<()> {
        let shared = &self.shared;
        let options = shared.options.file();
        let path = &shared.options.path;
        let copy = Copy::begin(path, &options).await?;
        let mut filling = Filling::new(&copy, &shared.scope);
        let authority = shared.authority.as_ref();
        let begun = Instant::now();
        let page = shared.options.page;
        let revision =
            snapshot(authority, &shared.scope, &shared.tables, page, &mut filling).await?;
        let copy = copy.finish(path, &options, &shared.note).await?;
        if shared.board.borrow().closed {
            copy.file.close().await;
            return Ok(());
        }
        shared.set_copy(Some(Arc::new(copy)));
        shared.board.send_modify(|board| {
            board.revision = Some(revision);
            board.copies += 1;
            board.proof = Some(Proof {
                at: begun,
                earlier: Duration::ZERO,
            });
        });
        self.noted = None;
        tracing::info!(scope = %shared.scope, %revision, took = ?begun.elapsed(), "the scope is copied");
        Ok(())
    }
}

/// Asks the authority how far the scope is. Costs a list of one record.
async fn ask(shared: &Shared, held: Revision) -> Asked {
    let at = Instant::now();
    let mut query = Query::new(shared.scope.clone(), shared.tables[0].clone());
    query.limit = 1;
    let list = shared.authority.list(&query, Read::Latest);
    let answer = match timeout(shared.options.patience, list).await {
        Ok(page) => page.map(|page| page.revision),
        Err(_) => Err(Error::Unavailable {
            reason: "its authority does not answer".to_owned(),
        }),
    };
    Asked { at, held, answer }
}

fn silent() -> Error {
    Error::Unavailable {
        reason: "its authority does not tell its changes".to_owned(),
    }
}
