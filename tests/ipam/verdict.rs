//! Whether what the clients were told is what happened, in an order that agrees with their clocks.

use std::io::Write as _;
use std::time::Instant;

use metal_storage::Revision;

use crate::follower::{Follower, Told};
use crate::state::State;
use crate::traffic::{Answer, Event};

/// What was found, for the report.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "printed")]
pub struct Verdict {
    acquired: usize,
    released: usize,
    refused: usize,
    too_busy: usize,
    unavailable: usize,
    unknown: usize,
    revisions: u64,
    resumed: usize,
}

// === impl Verdict ===

impl Verdict {
    pub fn of(seen: &Follower, events: &[Event]) -> Self {
        let mut verdict = Self {
            revisions: seen.last.get(),
            resumed: seen.resumed,
            ..Self::default()
        };
        for event in events {
            verdict.count(seen, event);
        }
        in_order(seen, events);
        verdict
    }

    /// What was acknowledged is there, and what was not done is not.
    fn count(&mut self, seen: &Follower, event: &Event) {
        let told: Option<&Told> = seen.leases.get(&event.lease);
        match (&event.answer, event.want) {
            (Answer::Done(revision, Some(interval)), Some(_)) => {
                self.acquired += 1;
                let told = told.unwrap_or_else(|| panic!("{event:?} is lost"));
                assert_eq!((told.acquired, told.interval), (*revision, *interval));
                assert_eq!(told.pool, event.pool);
            }
            (Answer::Done(revision, None), None) => {
                self.released += 1;
                let released = told.and_then(|told| told.released);
                assert_eq!(released, Some(*revision), "{event:?} is lost");
            }
            (Answer::Refused, Some(_)) => {
                self.refused += 1;
                assert!(told.is_none(), "{event:?} and was done");
            }
            (Answer::TooBusy | Answer::Unavailable, want) => {
                match event.answer {
                    Answer::TooBusy => self.too_busy += 1,
                    _ => self.unavailable += 1,
                }
                // A release is tried again, then or in the end.
                let undone = want.is_none() || told.is_none();
                assert!(undone, "{event:?} and was done");
            }
            (Answer::Unknown, _) => self.unknown += 1,
            other => panic!("{other:?}"),
        }
    }

    pub fn report(&self, name: &str) {
        // Past the capture of test output.
        writeln!(std::io::stderr(), "{name}: {self:?}").ok();
    }
}

/// The order of the revisions is one in which everything could have been done one after another:
/// what was answered before something else began is before it. (That each revision follows from
/// the one before, the follower has seen.) And what was refused could not be had at some moment
/// between its begin and its end.
fn in_order(seen: &Follower, events: &[Event]) {
    let done = |event: &&Event| matches!(event.answer, Answer::Done(..));
    let revision = |event: &Event| match event.answer {
        Answer::Done(revision, _) => revision,
        _ => Revision::ZERO,
    };
    let mut by_begin: Vec<&Event> = events.iter().collect();
    by_begin.sort_by_key(|event| event.begun);
    let mut by_end: Vec<&Event> = events.iter().filter(done).collect();
    by_end.sort_by_key(|event| event.ended);
    let mut ended = by_end.into_iter().peekable();
    let mut before = Revision::ZERO;
    // From the end: the first revision of what began after a moment.
    let mut firsts: Vec<(Instant, Revision)> = Vec::new();
    let mut first = seen.last.next();
    for event in by_begin.iter().rev().filter(|event| done(event)) {
        first = first.min(revision(event));
        firsts.push((event.begun, first));
    }
    firsts.reverse();
    for event in by_begin {
        while let Some(earlier) = ended.next_if(|e| e.ended.is_some_and(|at| at < event.begun)) {
            before = before.max(revision(earlier));
        }
        match event.answer {
            Answer::Done(revision, _) => {
                assert!(
                    revision > before,
                    "{event:?} is before {before}, which it has seen"
                );
            }
            Answer::Refused => {
                let end = event.ended.unwrap();
                let at = firsts.partition_point(|(begun, _)| *begun <= end);
                let after = firsts
                    .get(at)
                    .map_or(seen.last, |(_, first)| first.before());
                refused(seen, event, before, after);
            }
            Answer::TooBusy | Answer::Unavailable | Answer::Unknown => {}
        }
    }
}

/// There was a moment from the one of these revisions to the other when it could not be had,
/// perhaps in the midst of a batch.
fn refused(seen: &Follower, event: &Event, from: Revision, to: Revision) {
    let want = event.want.expect("a release is not refused");
    let moments = &seen.moments[event.pool][from.get() as usize..=to.get() as usize];
    let could_not = moments.iter().any(|moment| {
        let mut least: State = moment.free;
        least.remove(moment.next);
        !least.gives(want)
    });
    assert!(
        could_not,
        "{event:?} between {from} and {to}, and there was"
    );
}
