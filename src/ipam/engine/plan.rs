//! Making the moves of one request, on what is known, and reading what is not.

use metal_storage::Error;

use super::{Engine, Planned, Refused};
use crate::ipam::free_set::Miss;
use crate::ipam::limits::MOVES;
use crate::ipam::request::{Extra, Request};
use crate::ipam::sheet::{Room, Sheet};
use crate::ipam::view::Stop;
use crate::ipam::{Interval, IpamError, Move, PoolId};

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

// === impl Engine ===

impl Engine {
    /// Adds a request to a batch, if it can be.
    pub(super) async fn plan(&mut self, sheet: &mut Sheet, mut request: Request) -> Planned {
        if sheet.len() > 0 && (request.alone || !sheet.is_open()) {
            return Planned::Later(request);
        }
        let refused = |request, error, pools| {
            Planned::Refused(Refused {
                request,
                error,
                pools,
            })
        };
        let mut pools = Vec::new();
        loop {
            let halt = match self.attempt(&mut request, &mut pools).await {
                Ok((intervals, extra)) => {
                    let share = self.views.share(&pools);
                    match sheet.room(self.views.scope(), &extra, share) {
                        Room::Enough => {
                            sheet.add(request, intervals, extra);
                            self.views.keep(pools);
                            return Planned::Added;
                        }
                        Room::Later => {
                            self.views.undo(&pools);
                            return Planned::Later(request);
                        }
                        Room::Full => {
                            self.views.undo(&pools);
                            return Planned::Full(request);
                        }
                        Room::Never(error) => Halt::from(error),
                    }
                }
                Err(halt) => *halt,
            };
            self.views.undo(&pools);
            let (pool, miss) = match halt {
                Halt::Refused(Some(_), error) => return refused(request, error, pools),
                Halt::Refused(None, error) => return refused(request, error, vec![]),
                Halt::Miss(pool, miss) => (pool, miss),
            };
            let read = match miss {
                Miss::Everything => match self.views.is_right(&pool).await {
                    Ok(false) => return Planned::Astray(request, pool),
                    // What was read was read at one version of the head, and yet contradicts it.
                    Ok(true) => Err(corrupt(&pool)),
                    Err(error) => Err(error),
                },
                Miss::From(_) | Miss::Level(..) => self.views.load(&pool, miss).await,
            };
            if let Err(error) = read {
                return refused(request, error.into(), vec![]);
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
        self.views.mark(pools);
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
            let opened = self.views.open(pool).await;
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
}

fn corrupt(pool: &PoolId) -> Error {
    Error::Corrupt {
        what: format!("pool {pool}"),
        cause: "its head and its free intervals contradict each other".to_owned(),
    }
}
