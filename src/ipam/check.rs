use metal_storage::{Entity, Name, Record, Value};

use super::{Counters, Flaw, FlawKind, Free, Interval, Pool, spans};

/// Holds a head against the free intervals of its pool, one after another. Memory for none of
/// them but the last.
pub(super) struct Check<'a> {
    pool: &'a Pool,
    found: Counters,
    last: Option<Interval>,
    flaws: Vec<Flaw>,
}

// === impl Check ===

impl<'a> Check<'a> {
    /// Begins with the head alone.
    pub fn new(pool: &'a Pool) -> Self {
        let mut check = Self {
            pool,
            found: Counters::default(),
            last: None,
            flaws: Vec::new(),
        };
        let merged = |intervals: &[Interval]| {
            spans::merged(intervals.to_vec()).as_deref() == Some(intervals)
                && intervals.iter().all(|some| some.lo <= some.hi)
        };
        if !merged(&pool.spans) || !merged(&pool.reserved) {
            check.flaw(FlawKind::Spans);
        }
        let found = spans::size(&pool.spans);
        if found != Some(pool.size) {
            let said = pool.size;
            check.flaw(FlawKind::Size { said, found });
        }
        for interval in &pool.reserved {
            if !pool.spans(interval) {
                check.flaw(FlawKind::Reserved(*interval));
            }
        }
        check
    }

    /// Goes on with the next record of a free interval, in the order of their ids.
    pub fn next(&mut self, record: &Record) {
        let free = match Free::of(record) {
            Ok(free) if record.key.id() == Free::key(&self.pool.id, free.interval.hi) => free,
            _ => return self.flaw(FlawKind::Id(record.key.id().to_owned())),
        };
        let interval = free.interval;
        let fits = record.field(&Name::from_static(Free::FITS));
        let level = Free::level(&self.pool.id, interval.fits());
        if fits != Some(&Value::Text(level)) {
            self.flaw(FlawKind::Column(interval));
        }
        if !self.pool.spans(&interval) {
            self.flaw(FlawKind::Outside(interval));
        }
        if self
            .pool
            .reserved
            .iter()
            .any(|some| some.overlaps(&interval))
        {
            self.flaw(FlawKind::NotReserved(interval));
        }
        if let Some(last) = self.last {
            if last.overlaps(&interval) {
                self.flaw(FlawKind::Overlap(last, interval));
            } else if last.hi.checked_add(1) == Some(interval.lo) {
                self.flaw(FlawKind::Unmerged(last, interval));
            }
        }
        self.found.add(&interval);
        self.last = Some(interval);
    }

    /// What is wrong, after the last one.
    pub fn end(mut self) -> Vec<Flaw> {
        let pool = self.pool;
        if self.found != pool.counters {
            self.flaw(FlawKind::Counters {
                said: Box::new(pool.counters.clone()),
                found: Box::new(self.found.clone()),
            });
        }
        let (said, missing) = (pool.acquired, pool.used());
        if u128::from(said) > missing || (said == 0) != (missing == 0) {
            self.flaw(FlawKind::Acquired { said, missing });
        }
        self.flaws
    }

    fn flaw(&mut self, kind: FlawKind) {
        let pool = self.pool.id().to_owned();
        self.flaws.push(Flaw { pool, kind });
    }
}
