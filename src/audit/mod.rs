//! The audit trail: who asked for which change, when, and what became of it.
//!
//! Every operation that writes leaves an entry when its request was read and one when it was
//! answered, refused ones too. They are kept in the local store, by the newest first, for a
//! bounded time and in a bounded number. Requests never wait for it: what does not find room in
//! the queue is counted and logged.
//!
//! - [`event`]: what an entry says; [`entry`]: how it is stored.
//! - [`bucket`]: how many entries there are, for the bound.
//! - [`redact`]: what is recorded of a body: no secret, and not much.
//! - [`trail`]: the queue; [`note`]: what one request puts into it, with [`watched`] its body.
//! - [`writer`]: from the queue to the store; [`retention`]: out of it again.
//! - [`archive`]: what `audit/find` reads.

mod archive;
mod bucket;
mod entry;
mod event;
mod note;
mod redact;
mod retention;
mod trail;
mod watched;
mod writer;

use std::sync::Arc;

use metal_storage::{Scope, Store};

pub use self::archive::{Archive, Search};
pub(crate) use self::bucket::BUCKET;
pub(crate) use self::entry::ENTRY;
pub use self::event::{Event, Phase};
pub use self::note::Note;
pub use self::retention::Retention;
pub use self::trail::{Figures, Trail};
pub use self::writer::Writer;
use crate::config;

/// The trail of one node: both ends, and the two tasks between them.
pub struct Audit {
    /// What requests are recorded in.
    pub trail: Trail,
    /// What was recorded.
    pub archive: Archive,
    /// To be [run](Writer::run).
    pub writer: Writer,
    /// To be [run](Retention::run).
    pub retention: Retention,
}

/// The trail of `node`, kept in `scope` of `store`.
pub fn open(store: &Arc<dyn Store>, scope: &Scope, node: &str, config: &config::Audit) -> Audit {
    let (trail, queue) = Trail::new(node, config);
    let (most, max_age) = (config.max_entries, config.max_age);
    let place = || (Arc::clone(store), scope.clone());
    Audit {
        archive: Archive::new(place(), trail.clone()),
        writer: Writer::new(place(), most, trail.figures(), queue),
        retention: Retention::new(place(), max_age, most),
        trail,
    }
}

#[cfg(test)]
mod tests;
