mod outcome;
mod plan;
mod views;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metal_storage::{Key, Result, Scope, Store};

use uuid::Uuid;

use self::views::Views;
use super::request::{Applied, Request};
use super::sheet::Sheet;
use super::{IpamError, Metrics, PoolId};
use crate::retry::Retry;

/// After a conflict with another node, how long it is taken to be there.
const CONTENDED: Duration = Duration::from_secs(1);

/// Conflicts in a row with other nodes, after which a request is given up: some seconds.
const TRIES: u32 = 200;

/// How long one waits for other nodes at the most.
const LONGEST_YIELD: Duration = Duration::from_millis(50);

/// Carries out requests: reads what it does not know, makes one batch of as many as it can,
/// commits it, answers.
pub(super) struct Engine {
    store: Arc<dyn Store>,
    views: Views,
    /// When another node was faster last.
    lost: Option<Instant>,
    metrics: Metrics,
}

/// A request that is refused if what its pools are known to be is right.
struct Refused {
    request: Request,
    error: IpamError,
    /// All that its moves were made on: a move that is refused may be so because of what one
    /// before it acquired. None if it would be refused whatever is known.
    pools: Vec<PoolId>,
}

/// What became of a request in a round.
enum Planned {
    Added,
    Later(Request),
    /// Later, as all that follow.
    Full(Request),
    Refused(Refused),
    /// What is known of this pool is wrong.
    Astray(Request, PoolId),
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

// === impl Round ===

impl Round {
    fn take_back(&mut self, refused: Vec<Refused>) {
        let requests = refused.into_iter().map(|refused| refused.request);
        self.again.extend(requests);
    }
}

// === impl Engine ===

impl Engine {
    pub fn new(store: Arc<dyn Store>, scope: Scope, metrics: Metrics) -> Self {
        Self {
            views: Views::new(Arc::clone(&store), scope, metrics.clone()),
            store,
            lost: None,
            metrics,
        }
    }

    /// Answers every request of a group, in one batch or, where they cannot share one, in
    /// several. Bounded: after many conflicts in a row with other nodes those that are left are
    /// told so.
    pub async fn serve(&mut self, mut group: Vec<Request>) {
        let mut retry = Retry::with_tries("ipam", TRIES);
        while !group.is_empty() {
            self.views.evict();
            let begun = Instant::now();
            let round = self.round(group).await;
            group = round.again;
            group.sort_by_key(|request| request.place);
            if round.answered > 0 {
                retry = Retry::with_tries("ipam", TRIES);
            }
            let Some(stale) = round.stale else {
                self.yield_to_others(begun.elapsed()).await;
                continue;
            };
            self.lost = Some(Instant::now());
            self.metrics.retries.inc();
            if retry.after(&stale).await.is_err() {
                let text = format!("pool {} is changed by other nodes", stale.id());
                for request in group.drain(..) {
                    self.answer(request, Err(IpamError::TooBusy(text.clone())));
                }
            }
        }
    }

    /// Whoever has just committed knows the pools as they are and would be first again, and
    /// again, since the others must read them before: where there are others, it waits about as
    /// long as they take.
    async fn yield_to_others(&self, took: Duration) {
        if self.lost.is_some_and(|lost| lost.elapsed() < CONTENDED) {
            let most = (4 * took).min(LONGEST_YIELD).as_micros() as u64;
            let wait = Uuid::new_v4().as_u64_pair().0 % most.max(1);
            tokio::time::sleep(Duration::from_micros(wait)).await;
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
                Planned::Full(request) => {
                    round.again.push(request);
                    round.again.extend(group);
                    break;
                }
                Planned::Refused(entry) => refused.push(entry),
                Planned::Astray(request, pool) => {
                    let added = sheet.into_entries().into_iter().map(|entry| entry.request);
                    round.again.extend(added.chain([request]).chain(group));
                    round.take_back(refused);
                    self.views.reset();
                    self.views.forget(pool.as_str());
                    round.stale = self.views.head_key(&pool);
                    return round;
                }
            }
        }
        let mut confirmed = HashMap::new();
        if sheet.len() > 0 && !self.commit(sheet, &mut round, &mut confirmed).await {
            round.take_back(refused);
            return round;
        }
        for Refused {
            request,
            error,
            pools,
        } in refused
        {
            match self.wrong(&pools, &mut confirmed).await {
                Ok(Some(pool)) => {
                    self.views.forget(pool.as_str());
                    round.stale = self.views.head_key(&pool);
                    round.again.push(request);
                    continue;
                }
                Ok(None) => self.answer(request, Err(error)),
                Err(error) => self.answer(request, Err(error.into())),
            }
            round.answered += 1;
        }
        round
    }

    /// The first of these pools that is not as it is known to be, if any; looks at each once.
    async fn wrong(
        &self,
        pools: &[PoolId],
        confirmed: &mut HashMap<PoolId, bool>,
    ) -> Result<Option<PoolId>> {
        for pool in pools {
            let right = match confirmed.get(pool) {
                Some(right) => *right,
                None => self.views.is_right(pool).await?,
            };
            confirmed.insert(pool.clone(), right);
            if !right {
                return Ok(Some(pool.clone()));
            }
        }
        Ok(None)
    }

    fn answer(&self, request: Request, answer: Result<Applied, IpamError>) {
        match answer {
            Ok(_) => self.metrics.applied.inc(),
            Err(_) => self.metrics.refused.inc(),
        };
        request.answer(answer);
    }
}
