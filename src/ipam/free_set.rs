use std::collections::{BTreeMap, BTreeSet};

use super::windows::Windows;
use super::{Counters, Interval};

/// Disjoint intervals of free values that do not touch each other, of which a part is known.
///
/// It does no I/O: what it is asked and does not know, it says ([`Miss`]), and is asked again when
/// that was [loaded](Self::load). Everything costs O(log n) of the intervals known.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeSet {
    counters: Counters,
    /// The known intervals, the lowest value by the highest.
    known: BTreeMap<u128, u128>,
    /// Every interval that ends in one of these is known.
    windows: Windows,
    levels: BTreeMap<u8, Level>,
    /// What was changed since it was stored: the intervals by their highest value, or nothing.
    changed: BTreeMap<u128, Option<Interval>>,
    /// How it was before each change since it was stored.
    journal: Vec<Undo>,
}

/// The known intervals with one [`Interval::fits`].
#[derive(Clone, Debug, Default)]
struct Level {
    /// Their highest values.
    known: BTreeSet<u128>,
    /// Every one that ends here at the latest is known.
    until: Option<u128>,
}

#[derive(Clone, Debug)]
struct Undo {
    hi: u128,
    known: Option<u128>,
    changed: Option<Option<Interval>>,
}

/// What must be loaded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The intervals that end at this value or above, in order.
    From(u128),
    /// Those with this [`Interval::fits`] that end above that value, in order.
    Level(u8, Option<u128>),
    /// What is known contradicts itself: it was read while it was changed, or is corrupt.
    Everything,
}

// === impl FreeSet ===

impl FreeSet {
    /// A set of which only the sums are known.
    pub fn new(counters: Counters) -> Self {
        Self {
            counters,
            ..Self::default()
        }
    }

    /// The sums over all intervals, known or not.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many intervals are known.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// The lowest interval that ends at `value` or above.
    pub fn seek(&self, value: u128) -> Result<Option<Interval>, Miss> {
        let found = self.known.range(value..).next().map(interval);
        if self.is_complete() {
            return Ok(found);
        }
        match self.windows.until(value) {
            Some(until) => match found.filter(|found| found.hi <= until) {
                Some(found) => Ok(Some(found)),
                None => match until.checked_add(1) {
                    Some(next) => Err(Miss::From(next)),
                    None => Ok(None),
                },
            },
            None => Err(Miss::From(value)),
        }
    }

    /// The lowest of the intervals whose largest aligned block is the smallest that has `2^bits`
    /// values or more.
    pub fn fitting(&self, bits: u8) -> Result<Option<Interval>, Miss> {
        let Some((&bits, &count)) = self.counters.fits.range(bits..).next() else {
            return Ok(None);
        };
        let Some(level) = self.levels.get(&bits) else {
            return Err(Miss::Level(bits, None));
        };
        let all = level.known.len() as u64 == count;
        match level.known.first() {
            Some(&hi) if all || level.until.is_some_and(|until| hi <= until) => {
                let lo = self.known.get(&hi).ok_or(Miss::Everything)?;
                Ok(Some(Interval { lo: *lo, hi }))
            }
            _ if level.until == Some(u128::MAX) => Err(Miss::Everything),
            _ => Err(Miss::Level(bits, level.until)),
        }
    }

    /// Takes `inner` out of an interval that covers it.
    pub fn take(&mut self, outer: Interval, inner: Interval) -> Result<(), Miss> {
        self.remove(outer)?;
        for rest in outer.without(&inner).into_iter().flatten() {
            self.insert(rest);
        }
        Ok(())
    }

    /// Adds an interval, merged with those that it touches. False, and nothing is changed, if a
    /// value of it is free already.
    pub fn give(&mut self, given: Interval) -> Result<bool, Miss> {
        let mut merged = given;
        // The one that ends below it, or what follows.
        if let Some(below) = given.lo.checked_sub(1) {
            let found = self.seek(below)?;
            if let Some(found) = found.filter(|found| found.hi == below) {
                merged.lo = found.lo;
            }
        }
        let above = match self.seek(given.lo)? {
            Some(found) if found.overlaps(&given) => return Ok(false),
            found => found.filter(|found| given.hi.checked_add(1) == Some(found.lo)),
        };
        if merged.lo < given.lo {
            self.remove(Interval {
                lo: merged.lo,
                hi: given.lo - 1,
            })?;
        }
        if let Some(above) = above {
            self.remove(above)?;
            merged.hi = above.hi;
        }
        self.insert(merged);
        Ok(true)
    }

    /// What was changed since it was stored: the intervals by their highest value, or nothing.
    pub fn changed(&self) -> &BTreeMap<u128, Option<Interval>> {
        &self.changed
    }

    /// It is stored as it is now.
    pub fn stored(&mut self) {
        self.changed.clear();
        self.journal.clear();
    }

    /// How often it was changed since it was stored, for [`undo`](Self::undo).
    pub fn changes(&self) -> usize {
        self.journal.len()
    }

    /// As it was after so many changes, when it had these sums, with what was loaded since.
    pub fn undo(&mut self, changes: usize, counters: Counters) {
        for undo in self.journal.split_off(changes).into_iter().rev() {
            self.set(undo.hi, undo.known);
            match undo.changed {
                Some(changed) => self.changed.insert(undo.hi, changed),
                None => self.changed.remove(&undo.hi),
            };
        }
        self.counters = counters;
    }

    /// Takes note of what was stored where a [`Miss`] asked: these intervals in order, and, unless
    /// there are `more`, no other.
    pub fn load(&mut self, miss: Miss, intervals: &[Interval], more: bool) {
        let until = match (more, intervals.last()) {
            (true, Some(last)) => last.hi,
            _ => u128::MAX,
        };
        for found in intervals {
            if !self.changed.contains_key(&found.hi) {
                self.set(found.hi, Some(found.lo));
            }
        }
        match miss {
            Miss::From(from) => {
                self.windows.add(Interval {
                    lo: from,
                    hi: until,
                });
            }
            Miss::Level(bits, _) => {
                self.levels.entry(bits).or_default().until = Some(until);
            }
            Miss::Everything => {}
        }
    }

    fn is_complete(&self) -> bool {
        self.known.len() as u64 == self.counters.parts
    }

    fn insert(&mut self, added: Interval) {
        self.journal(added.hi);
        self.counters.add(&added);
        self.set(added.hi, Some(added.lo));
        self.changed.insert(added.hi, Some(added));
    }

    fn remove(&mut self, removed: Interval) -> Result<(), Miss> {
        if !self.counters.remove(&removed) {
            return Err(Miss::Everything);
        }
        self.journal(removed.hi);
        self.set(removed.hi, None);
        self.changed.insert(removed.hi, None);
        Ok(())
    }

    fn journal(&mut self, hi: u128) {
        self.journal.push(Undo {
            hi,
            known: self.known.get(&hi).copied(),
            changed: self.changed.get(&hi).copied(),
        });
    }

    /// The known interval that ends at `hi` begins at `lo`, or there is none.
    fn set(&mut self, hi: u128, lo: Option<u128>) {
        if let Some(lo) = self.known.remove(&hi) {
            let bits = Interval { lo, hi }.fits();
            if let Some(level) = self.levels.get_mut(&bits) {
                level.known.remove(&hi);
            }
        }
        if let Some(lo) = lo {
            self.known.insert(hi, lo);
            let bits = Interval { lo, hi }.fits();
            self.levels.entry(bits).or_default().known.insert(hi);
        }
    }
}

fn interval((hi, lo): (&u128, &u128)) -> Interval {
    Interval { lo: *lo, hi: *hi }
}
