use std::collections::HashMap;
use std::sync::Arc;

use metal_storage::{
    Batch, Entity, Error, Key, Name, Query, Read, Result, Scope, Store, Table, Value, Version,
};

use super::free_set::Miss;
use super::limits::{MOVES, PAGE, POOLS};
use super::request::{Applied, Extra, Request};
use super::sheet::{Room, Share, Sheet};
use super::view::{Stop, View};
use super::{Free, Interval, IpamError, Metrics, Move, Pool, PoolId};
use crate::commit::commit;
use crate::retry::Retry;

/// Carries out requests: reads what it does not know, makes one batch of as many as it can,
/// commits it, answers.
pub(super) struct Engine {
    store: Arc<dyn Store>,
    scope: Scope,
    views: HashMap<PoolId, Cached>,
    /// Counts the uses of views.
    clock: u64,
    metrics: Metrics,
}

struct Cached {
    view: View,
    used: u64,
}

/// A request that is refused if what its pool is known to be is right.
struct Refused {
    request: Request,
    error: IpamError,
    /// None if it would be refused whatever is known.
    pool: Option<PoolId>,
}

/// What became of a request in a round.
enum Planned {
    Added,
    Later(Request),
    Refused(Refused),
    /// What is known of this pool is wrong.
    Astray(Request, PoolId),
}

/// Why the moves of a request were not made.
enum Halt {
    /// Something of this pool must be read first.
    Miss(PoolId, Miss),
    /// They are refused; without a pool, whatever is known.
    Refused(Option<PoolId>, IpamError),
}

// === impl Halt ===

impl Halt {
    fn of(pool: &PoolId, stop: Stop) -> Self {
        match stop {
            Stop::Miss(miss) => Self::Miss(pool.clone(), miss),
            Stop::Refused(error) => Self::Refused(Some(pool.clone()), error),
        }
    }

    fn invalid(text: &str) -> Self {
        IpamError::Invalid(text.to_owned()).into()
    }
}

impl From<IpamError> for Halt {
    fn from(error: IpamError) -> Self {
        Self::Refused(None, error)
    }
}

/// The outcome of a round.
#[derive(Default)]
struct Round {
    /// Requests that were not answered.
    again: Vec<Request>,
    /// What another node has changed.
    stale: Option<Key>,
    /// How many were answered.
    answered: usize,
}

// === impl Engine ===

impl Engine {
    pub fn new(store: Arc<dyn Store>, scope: Scope, metrics: Metrics) -> Self {
        Self {
            store,
            scope,
            views: HashMap::new(),
            clock: 0,
            metrics,
        }
    }

    /// Answers every request of a group, in one batch or, where they cannot share one, in
    /// several. Bounded: after many conflicts in a row with other nodes those that are left are
    /// told so.
    pub async fn serve(&mut self, mut group: Vec<Request>) {
        let mut retry = Retry::new("ipam");
        while !group.is_empty() {
            self.evict();
            let round = self.round(group).await;
            group = round.again;
            group.sort_by_key(|request| request.place);
            if round.answered > 0 {
                retry = Retry::new("ipam");
            }
            let Some(stale) = round.stale else { continue };
            self.metrics.retries.inc();
            if retry.after(&stale).await.is_err() {
                let text = format!("pool {} is changed by other nodes", stale.id());
                for request in group.drain(..) {
                    self.answer(request, Err(IpamError::TooBusy(text.clone())));
                }
            }
        }
    }

    /// One batch at the most.
    async fn round(&mut self, group: Vec<Request>) -> Round {
        let mut sheet = Sheet::default();
        let mut round = Round::default();
        let mut refused = Vec::new();
        let mut group = group.into_iter();
        while let Some(request) = group.next() {
            if request.answer.is_closed() {
                round.answered += 1;
                continue;
            }
            match self.plan(&mut sheet, request).await {
                Planned::Added => {}
                Planned::Later(request) => round.again.push(request),
                Planned::Refused(entry) => refused.push(entry),
                Planned::Astray(request, pool) => {
                    round.again.push(request);
                    round.again.extend(group);
                    round
                        .again
                        .extend(refused.into_iter().map(|entry| entry.request));
                    let entries = sheet.into_entries();
                    round
                        .again
                        .extend(entries.into_iter().map(|entry| entry.request));
                    self.reset();
                    self.views.remove(&pool);
                    round.stale = self.head_key(&pool);
                    return round;
                }
            }
        }
        let mut confirmed = HashMap::new();
        if sheet.len() > 0 && !self.commit(sheet, &mut round, &mut confirmed).await {
            round
                .again
                .extend(refused.into_iter().map(|entry| entry.request));
            return round;
        }
        for Refused {
            request,
            error,
            pool,
        } in refused
        {
            let right = match &pool {
                None => Ok(true),
                Some(pool) => match confirmed.get(pool) {
                    Some(right) => Ok(*right),
                    None => self.is_right(pool).await,
                },
            };
            match (right, pool) {
                (Ok(false), Some(pool)) => {
                    self.views.remove(&pool);
                    round.stale = self.head_key(&pool);
                    confirmed.insert(pool, false);
                    round.again.push(request);
                    continue;
                }
                (Ok(_), pool) => {
                    confirmed.extend(pool.map(|pool| (pool, true)));
                    self.answer(request, Err(error));
                }
                (Err(error), _) => self.answer(request, Err(error.into())),
            }
            round.answered += 1;
        }
        round
    }

    /// Adds a request to a batch, if it can be.
    async fn plan(&mut self, sheet: &mut Sheet, mut request: Request) -> Planned {
        if sheet.len() > 0 && (request.alone || !sheet.is_open()) {
            return Planned::Later(request);
        }
        let refused = |request, error, pool| {
            Planned::Refused(Refused {
                request,
                error,
                pool,
            })
        };
        let mut pools = Vec::new();
        loop {
            let halt = match self.attempt(&mut request, &mut pools).await {
                Ok((intervals, extra)) => match sheet.room(&self.scope, &extra, self.share()) {
                    Room::Enough => {
                        sheet.add(&self.scope, request, intervals, extra);
                        return Planned::Added;
                    }
                    Room::Later => {
                        self.each(&pools, View::undo);
                        return Planned::Later(request);
                    }
                    Room::Never(error) => Halt::from(error),
                },
                Err(halt) => *halt,
            };
            self.each(&pools, View::undo);
            let (pool, miss) = match halt {
                Halt::Refused(pool, error) => return refused(request, error, pool),
                Halt::Miss(pool, miss) => (pool, miss),
            };
            let read = match miss {
                Miss::Everything => match self.is_right(&pool).await {
                    Ok(false) => return Planned::Astray(request, pool),
                    // What was read was read at one version of the head, and yet contradicts it.
                    Ok(true) => Err(corrupt(&pool)),
                    Err(error) => Err(error),
                },
                Miss::From(_) | Miss::Level(..) => self.load(&pool, miss).await,
            };
            if let Err(error) = read {
                return refused(request, error.into(), None);
            }
        }
    }

    /// Makes the moves of a request, those of its extra, too. The pools that they are of are
    /// added to `pools`, and marked as they were before.
    async fn attempt(
        &mut self,
        request: &mut Request,
        pools: &mut Vec<PoolId>,
    ) -> Result<(Vec<Interval>, Extra), Box<Halt>> {
        self.each(pools, View::mark);
        let intervals = self.make(&request.moves, pools).await?;
        let extra =
            (request.with)(&intervals).map_err(|error| Halt::from(IpamError::from(error)))?;
        if extra.writes.is_empty() && extra.moves.is_empty() && request.moves.is_empty() {
            return Err(Halt::invalid("a request has a move or a write").into());
        }
        if extra.moves.len() > MOVES {
            return Err(Halt::invalid("more moves follow than a request may have").into());
        }
        match self.make(&extra.moves, pools).await?.is_empty() {
            true => Ok((intervals, extra)),
            false => Err(Halt::invalid("moves that follow acquire nothing").into()),
        }
    }

    /// Makes moves, one after another; gives what they acquired.
    async fn make(
        &mut self,
        moves: &[Move],
        pools: &mut Vec<PoolId>,
    ) -> Result<Vec<Interval>, Box<Halt>> {
        let mut intervals = Vec::new();
        for made in moves {
            let pool = made.pool();
            let opened = self.open(pool).await;
            let view = opened.map_err(|error| Halt::from(IpamError::from(error)))?;
            if !pools.contains(pool) {
                view.mark();
                pools.push(pool.clone());
            }
            let acquired = view.make(made).map_err(|stop| Halt::of(pool, stop))?;
            intervals.extend(acquired);
        }
        Ok(intervals)
    }

    /// Commits a batch and answers those in it that are done, or cannot be. True if it was
    /// committed; then every pool that it changed was as it was known to be.
    async fn commit(
        &mut self,
        sheet: Sheet,
        round: &mut Round,
        confirmed: &mut HashMap<PoolId, bool>,
    ) -> bool {
        let outcome = match self.batch(&sheet) {
            Ok(batch) => commit(&self.store, batch).await,
            Err(error) => Err(error),
        };
        let revision = match outcome {
            Ok(revision) => revision,
            Err(error) => {
                self.failed(sheet, error, round);
                return false;
            }
        };
        self.metrics.batches.inc();
        for (pool, cached) in &mut self.views {
            if cached.view.is_changed() {
                cached.view.stored(Version::from(revision));
                confirmed.insert(pool.clone(), true);
            }
        }
        for entry in sheet.into_entries() {
            round.answered += 1;
            let intervals = entry.intervals;
            let applied = Applied {
                intervals,
                revision,
            };
            self.answer(entry.request, Ok(applied));
        }
        true
    }

    /// A batch was not committed, or may not have been.
    fn failed(&mut self, sheet: Sheet, error: Error, round: &mut Round) {
        if matches!(error, Error::Unknown(_)) {
            self.views.retain(|_, cached| !cached.view.is_changed());
        }
        self.reset();
        let alone = sheet.len() == 1;
        let guilty = match &error {
            Error::Conflict(key) if key.table().as_str() == Pool::SCHEMA.table() => {
                self.views.retain(|pool, _| pool.as_str() != key.id());
                round.stale = Some(key.clone());
                let entries = sheet.into_entries();
                round
                    .again
                    .extend(entries.into_iter().map(|entry| entry.request));
                return;
            }
            Error::Conflict(key) => sheet.guarding(key),
            Error::Taken(index) => sheet.holding(index),
            _ => None,
        };
        let refused = match error {
            Error::Conflict(key) => IpamError::Conflict(key),
            error => IpamError::Store(error),
        };
        let of_one = matches!(
            refused,
            IpamError::Store(Error::Invalid(_) | Error::Taken(_))
        );
        for (place, entry) in sheet.into_entries().into_iter().enumerate() {
            let mut request = entry.request;
            match guilty {
                Some(guilty) if guilty != place => round.again.push(request),
                None if of_one && !alone => {
                    request.alone = true;
                    round.again.push(request);
                }
                _ => {
                    round.answered += 1;
                    self.answer(request, Err(refused.clone()));
                }
            }
        }
    }

    fn batch(&self, sheet: &Sheet) -> Result<Batch> {
        let mut batch = Batch::new(self.scope.clone());
        for cached in self.views.values() {
            if cached.view.is_changed() {
                cached.view.write(&self.scope, &mut batch)?;
            }
        }
        sheet.write(&mut batch);
        Ok(batch)
    }

    /// What the pools that were changed add to a batch.
    fn share(&self) -> Share {
        let changed = self
            .views
            .values()
            .filter(|cached| cached.view.is_changed());
        changed.fold(Share::default(), |share, cached| Share {
            guards: share.guards + 1,
            writes: share.writes + cached.view.writes(),
            bytes: share.bytes + cached.view.bytes(),
        })
    }

    fn answer(&self, request: Request, answer: Result<Applied, IpamError>) {
        match answer {
            Ok(_) => self.metrics.applied.inc(),
            Err(_) => self.metrics.refused.inc(),
        };
        request.answer(answer);
    }

    /// A pool as it is known; reads its head if that is not remembered.
    async fn open(&mut self, pool: &PoolId) -> Result<&mut View> {
        self.clock += 1;
        if !self.views.contains_key(pool) {
            self.metrics.reads.inc();
            let stored = self.heads().get(pool.as_str(), Read::Latest).await?;
            let view = View::new(pool.clone(), stored);
            self.views.insert(pool.clone(), Cached { view, used: 0 });
        }
        let cached = self.views.get_mut(pool).expect("it was inserted");
        cached.used = self.clock;
        Ok(&mut cached.view)
    }

    /// Whether the head of an open pool still has the version that is known.
    async fn is_right(&self, pool: &PoolId) -> Result<bool> {
        self.metrics.reads.inc();
        let stored = self.heads().get(pool.as_str(), Read::Latest).await?;
        let known = self.views.get(pool).map(|cached| cached.view.version());
        Ok(known == Some(stored.map(|stored| stored.version)))
    }

    /// Reads free intervals of an open pool.
    async fn load(&mut self, pool: &PoolId, miss: Miss) -> Result<()> {
        let mut query = Query::new(self.scope.clone(), Name::from_static(Free::SCHEMA.table()));
        query.limit = PAGE;
        let after = match miss {
            Miss::From(from) => {
                query.prefix = Free::prefix(pool);
                from.checked_sub(1)
            }
            Miss::Level(bits, until) => {
                let level = Value::from(Free::level(pool, bits));
                query.equal.push((Name::from_static("fits"), level));
                until
            }
            Miss::Everything => return Ok(()),
        };
        query.after = after.map(|hi| Free::key(pool, hi));
        self.metrics.reads.inc();
        let page = self.store.list(&query, Read::Latest).await?;
        if let Some(error) = page.unreadable.into_iter().next() {
            return Err(error);
        }
        let mut intervals = Vec::with_capacity(page.records.len());
        for stored in &page.records {
            let free: Free = serde_json::from_slice(&stored.value.doc).map_err(|e| {
                let what = stored.value.key.to_string();
                let cause = e.to_string();
                Error::Corrupt { what, cause }
            })?;
            intervals.push(free.interval);
        }
        if let Some(cached) = self.views.get_mut(pool) {
            cached.view.load(miss, &intervals, page.next.is_some());
        }
        Ok(())
    }

    /// Every pool as it is stored.
    fn reset(&mut self) {
        for cached in self.views.values_mut() {
            if cached.view.is_changed() {
                cached.view.reset();
            }
        }
    }

    fn each(&mut self, pools: &[PoolId], act: fn(&mut View)) {
        for pool in pools {
            if let Some(cached) = self.views.get_mut(pool) {
                act(&mut cached.view);
            }
        }
    }

    /// Forgets the pools that were not asked for the longest time, where there are too many.
    fn evict(&mut self) {
        if self.views.len() > POOLS {
            let mut used: Vec<u64> = self.views.values().map(|cached| cached.used).collect();
            used.sort_unstable();
            let oldest = used[used.len() - POOLS / 2];
            self.views.retain(|_, cached| cached.used >= oldest);
        }
    }

    fn heads(&self) -> Table<Pool> {
        Table::new(Arc::clone(&self.store), self.scope.clone())
    }

    fn head_key(&self, pool: &PoolId) -> Option<Key> {
        self.heads().key(pool.as_str()).ok()
    }
}

fn corrupt(pool: &PoolId) -> Error {
    Error::Corrupt {
        what: format!("pool {pool}"),
        cause: "its head and its free intervals contradict each other".to_owned(),
    }
}
