use metal_storage::{Batch, Entity, Guard, Key, Name, Scope, Stored, Version, Write};

use super::free_set::{FreeSet, Miss};
use super::limits::{INTERVALS, SPANS};
use super::{Counters, Free, Interval, IpamError, Move, Pool, PoolId, Want, spans};

/// A pool as it is stored, as far as that is known, and what is to become of it.
///
/// It does no I/O: what must be read first is named ([`Stop::Miss`]).
#[derive(Clone, Debug)]
pub(super) struct View {
    id: PoolId,
    /// The head that is stored.
    stored: Option<Stored<Pool>>,
    /// The head as it is to be; its counters are those of `set`.
    head: Option<Pool>,
    set: FreeSet,
    marked: Mark,
}

/// A place to go back to.
#[derive(Clone, Debug, Default)]
struct Mark {
    head: Option<Pool>,
    changes: usize,
    counters: Counters,
}

/// Why a move was not made.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stop {
    Miss(Miss),
    Refused(IpamError),
}

impl From<Miss> for Stop {
    fn from(miss: Miss) -> Self {
        Self::Miss(miss)
    }
}

impl From<IpamError> for Stop {
    fn from(error: IpamError) -> Self {
        Self::Refused(error)
    }
}

// === impl View ===

impl View {
    /// What is known when its head was read.
    pub fn new(id: PoolId, stored: Option<Stored<Pool>>) -> Self {
        let head = stored.as_ref().map(|stored| stored.value.clone());
        let counters = head.as_ref().map(|head| head.counters.clone());
        let mut view = Self {
            id,
            stored,
            head,
            set: FreeSet::new(counters.unwrap_or_default()),
            marked: Mark::default(),
        };
        view.mark();
        view
    }

    /// The version of the stored head.
    pub fn version(&self) -> Option<Version> {
        self.stored.as_ref().map(|stored| stored.version)
    }

    /// Whether something is to be written.
    pub fn is_changed(&self) -> bool {
        // Without changes of what is free, a pool of nothing is made or deleted.
        self.set.changes() > 0 || self.head.is_some() != self.stored.is_some()
    }

    /// Remembers how it is now, for [`undo`](Self::undo).
    pub fn mark(&mut self) {
        self.marked = Mark {
            head: self.head.clone(),
            changes: self.set.changes(),
            counters: self.set.counters().clone(),
        };
    }

    /// As it was at the last [`mark`](Self::mark).
    pub fn undo(&mut self) {
        let mark = std::mem::take(&mut self.marked);
        self.set.undo(mark.changes, mark.counters.clone());
        self.head.clone_from(&mark.head);
        self.marked = mark;
    }

    /// As it is stored.
    pub fn reset(&mut self) {
        self.head = self.stored.as_ref().map(|stored| stored.value.clone());
        let counters = self.head.as_ref().map(|head| head.counters.clone());
        self.set.undo(0, counters.unwrap_or_default());
        self.mark();
    }

    /// It is stored as it is now, since this version. Forgets intervals if they are too many.
    pub fn stored(&mut self, version: Version) {
        self.stored = self.head.clone().map(|value| Stored { value, version });
        self.set.stored();
        if self.set.known() > INTERVALS {
            self.set = FreeSet::new(self.set.counters().clone());
        }
        self.mark();
    }

    /// As [`FreeSet::load`].
    pub fn load(&mut self, miss: Miss, intervals: &[Interval], more: bool) {
        self.set.load(miss, intervals, more);
    }

    /// The sums over what is free.
    #[cfg(test)]
    pub fn counters(&self) -> &Counters {
        self.set.counters()
    }

    /// What is to be written of what is free.
    #[cfg(test)]
    pub fn changed(&self) -> &std::collections::BTreeMap<u128, Option<Interval>> {
        self.set.changed()
    }

    /// The head that is stored.
    #[cfg(test)]
    pub fn head_as_stored(&self) -> Option<Stored<Pool>> {
        self.stored.clone()
    }

    /// What it takes to store it as it is now: writes.
    pub fn writes(&self) -> usize {
        1 + self.set.changed().len()
    }

    /// Bytes of those, at the most.
    pub fn bytes(&self) -> usize {
        let spans = |pool: &Pool| pool.spans.len() + pool.reserved.len();
        let head = self.head.as_ref().map_or(0, spans);
        4096 + 80 * head + 1024 * self.set.changed().len()
    }

    /// Adds that to a batch, with the guard of the head.
    ///
    /// # Errors
    /// [`Invalid`](metal_storage::Error::Invalid), which cannot happen.
    pub fn write(&self, scope: &Scope, batch: &mut Batch) -> metal_storage::Result<()> {
        match (&self.stored, &self.head) {
            (Some(stored), Some(head)) => drop(batch.replace(stored, head)?),
            (Some(stored), None) => drop(batch.delete(stored)?),
            (None, Some(head)) => drop(batch.insert(head)?),
            (None, None) => {
                let table = Name::from_static(Pool::SCHEMA.table());
                let key = Key::new(scope.clone(), table, self.id.as_str())?;
                batch.guards.push(Guard::Absent(key));
            }
        }
        // Free intervals need no guards: the head has one.
        let mut puts = Batch::new(scope.clone());
        for (hi, interval) in self.set.changed() {
            match interval {
                Some(interval) => {
                    puts.insert(&Free::new(&self.id, *interval))?;
                }
                None => {
                    let table = Name::from_static(Free::SCHEMA.table());
                    let id = Free::key(&self.id, *hi);
                    let key = Key::new(scope.clone(), table, &id)?;
                    puts.writes.push(Write::Delete(key));
                }
            }
        }
        batch.writes.append(&mut puts.writes);
        Ok(())
    }

    /// Makes a move; says what it acquired. If it is not made, [`undo`](Self::undo).
    pub fn make(&mut self, made: &Move) -> Result<Option<Interval>, Stop> {
        match made {
            Move::Create {
                spans, reserved, ..
            } => self.create(spans, reserved)?,
            Move::Delete { .. } => self.delete()?,
            Move::Acquire { want, .. } => return self.acquire(*want).map(Some),
            Move::Release { interval, .. } => self.release(*interval)?,
            Move::Grow { interval, .. } => self.grow(*interval)?,
            Move::Shrink { interval, .. } => self.shrink(*interval)?,
        }
        Ok(None)
    }

    fn acquire(&mut self, want: Want) -> Result<Interval, Stop> {
        let exhausted = self.exhausted(want)?;
        let (outer, inner) = match want {
            Want::Any | Want::UpTo(_) => {
                let outer = match self.set.seek(0)? {
                    Some(outer) => outer,
                    None if self.set.counters().parts == 0 => return Err(exhausted.into()),
                    None => return Err(Miss::Everything.into()),
                };
                let more = match want {
                    Want::UpTo(0) => return Err(invalid("no values are wanted").into()),
                    Want::UpTo(most) => (most - 1).min(outer.hi - outer.lo),
                    _ => 0,
                };
                let (lo, hi) = (outer.lo, outer.lo + more);
                (outer, Interval { lo, hi })
            }
            Want::Aligned { bits } => {
                let outer = self.set.fitting(bits)?.ok_or(exhausted)?;
                (outer, outer.best(bits).ok_or(Miss::Everything)?)
            }
            Want::Value(value) => self.outer(Interval::one(value))?,
            Want::Range(interval) => self.outer(interval)?,
        };
        self.set.take(outer, inner)?;
        self.change(|head| head.acquired = head.acquired.saturating_add(1));
        Ok(inner)
    }

    fn release(&mut self, interval: Interval) -> Result<(), Stop> {
        let (pool, head) = (self.id.clone(), self.head()?);
        if !head.spans(&interval) {
            return Err(IpamError::Outside { pool, interval }.into());
        }
        let others = head.acquired.checked_sub(1);
        let rest = head.used().checked_sub(interval.len());
        // Each of the others has a value at least.
        let possible = match (others, rest) {
            (Some(others), Some(rest)) => rest >= others.into() && (rest == 0) == (others == 0),
            _ => false,
        };
        let reserved = head.reserved.iter().any(|some| some.overlaps(&interval));
        if reserved || !possible || !self.set.give(interval)? {
            return Err(IpamError::NotTaken { pool, interval }.into());
        }
        self.change(|head| head.acquired -= 1);
        Ok(())
    }

    fn grow(&mut self, interval: Interval) -> Result<(), Stop> {
        let (pool, head) = (self.id.clone(), self.head()?);
        let (mut spans, reserved) = (head.spans.clone(), head.reserved.len());
        spans.push(valid(interval)?);
        let Some(spans) = spans::merged(spans) else {
            return Err(IpamError::Overlap { pool, interval }.into());
        };
        let size = size(&spans, reserved)?;
        if !self.set.give(interval)? {
            return Err(Miss::Everything.into());
        }
        self.change(|head| (head.spans, head.size) = (spans, size));
        Ok(())
    }

    fn shrink(&mut self, interval: Interval) -> Result<(), Stop> {
        let (outer, inner) = self.outer(interval)?;
        let head = self.head()?;
        let spans = spans::without(&head.spans, &inner);
        let size = size(&spans, head.reserved.len())?;
        self.set.take(outer, inner)?;
        self.change(|head| (head.spans, head.size) = (spans, size));
        Ok(())
    }

    fn create(&mut self, spans: &[Interval], reserved: &[Interval]) -> Result<(), Stop> {
        if self.head.is_some() {
            return Err(IpamError::Exists(self.id.clone()).into());
        }
        let sorted = |intervals: &[Interval]| {
            for interval in intervals {
                valid(*interval)?;
            }
            let overlap = || invalid("values of a new pool overlap");
            spans::merged(intervals.to_vec()).ok_or_else(overlap)
        };
        let (spans, reserved) = (sorted(spans)?, sorted(reserved)?);
        let mut free = spans.clone();
        for interval in &reserved {
            if !free.iter().any(|some| some.covers(interval)) {
                return Err(invalid("what a new pool reserves is not in it").into());
            }
            free = spans::without(&free, interval);
        }
        let size = size(&spans, reserved.len())?;
        for interval in free {
            if !self.set.give(interval)? {
                return Err(Miss::Everything.into());
            }
        }
        self.head = Some(Pool {
            id: self.id.clone(),
            spans,
            reserved,
            size,
            counters: self.set.counters().clone(),
            acquired: 0,
        });
        Ok(())
    }

    fn delete(&mut self) -> Result<(), Stop> {
        let head = self.head()?;
        if head.acquired > 0 {
            let (pool, acquired) = (self.id.clone(), head.acquired);
            return Err(IpamError::InUse { pool, acquired }.into());
        }
        // Nothing is acquired: what is free is known without being read.
        let reserved = head.reserved.clone();
        let all = |free: Vec<Interval>, some| spans::without(&free, some);
        let free = reserved.iter().fold(head.spans.clone(), all);
        for interval in free {
            self.set.take(interval, interval)?;
        }
        if self.set.counters().parts > 0 {
            return Err(Miss::Everything.into());
        }
        self.head = None;
        Ok(())
    }

    /// The free interval that has these values, and them.
    fn outer(&self, inner: Interval) -> Result<(Interval, Interval), Stop> {
        let (pool, head) = (self.id.clone(), self.head()?);
        let interval = valid(inner)?;
        if !head.spans(&inner) {
            return Err(IpamError::Outside { pool, interval }.into());
        }
        if head.reserved.iter().any(|some| some.overlaps(&inner)) {
            return Err(IpamError::Reserved { pool, interval }.into());
        }
        match self.set.seek(inner.lo)? {
            Some(outer) if outer.covers(&inner) => Ok((outer, inner)),
            _ => Err(IpamError::Taken { pool, interval }.into()),
        }
    }

    fn exhausted(&self, want: Want) -> Result<IpamError, IpamError> {
        let head = self.head()?;
        Ok(IpamError::Exhausted {
            pool: self.id.clone(),
            want,
            free: self.set.counters().free,
            size: head.size,
            largest: self.set.counters().largest(),
        })
    }

    fn head(&self) -> Result<&Pool, IpamError> {
        let missing = || IpamError::NoPool(self.id.clone());
        self.head.as_ref().ok_or_else(missing)
    }

    fn change(&mut self, change: impl FnOnce(&mut Pool)) {
        let counters = self.set.counters().clone();
        if let Some(head) = &mut self.head {
            head.counters = counters;
            change(head);
        }
    }
}

fn valid(interval: Interval) -> Result<Interval, IpamError> {
    let Interval { lo, hi } = interval;
    Interval::new(lo, hi).ok_or_else(|| invalid("an interval ends before it begins"))
}

fn size(spans: &[Interval], reserved: usize) -> Result<u128, IpamError> {
    if spans.len() + reserved > SPANS {
        let text = format!("a pool has at most {SPANS} spans and reserved intervals");
        return Err(IpamError::Invalid(text));
    }
    spans::size(spans).ok_or_else(|| invalid("a pool has fewer than 2^128 values"))
}

fn invalid(text: &str) -> IpamError {
    IpamError::Invalid(text.to_owned())
}
