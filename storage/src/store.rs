use std::pin::Pin;

use futures::Stream;

use crate::batch::Batch;
use crate::change::Change;
use crate::error::Result;
use crate::key::Key;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;

/// A future of a [`Store`].
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stream of a [`Store`].
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// The authority for one or more scopes: four verbs, and these promises.
///
/// - Commits of a scope happen one after another. Each has the next [`Revision`], without a gap,
///   and a record's version is the revision that wrote it. Scopes are independent of each other.
/// - What `commit` has acknowledged is durable (as far as the backend is) and visible to every
///   [`Read::Latest`] that starts afterwards. What a read or a watcher has shown stays.
/// - Every method can be dropped while pending. A dropped `commit` happens or does not happen, as
///   if its answer were lost.
///
/// A backend keeps these if it passes the suite in `conformance`.
pub trait Store: Send + Sync + 'static {
    /// The record of this key.
    ///
    /// Costs O(log n).
    ///
    /// # Errors
    /// [`Behind`](crate::Error::Behind) if `read` asks for a revision that the scope does not
    /// reach in a bounded time.
    fn get<'a>(&'a self, key: &'a Key, read: Read)
    -> BoxFuture<'a, Result<Option<Stored<Record>>>>;

    /// One page of the records of a table that match, ordered by the bytes of their ids.
    ///
    /// A record that cannot be read is named in the page beside the others. One page shows one
    /// revision of the scope, which it names; a further page may show a later
    /// one. Costs O(log n) and the number of records that match the first condition; without a
    /// condition, the number of records shown.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Invalid`](crate::Error::Invalid) for a query out of bounds.
    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>>;

    /// Applies every write or none, and says at which revision.
    ///
    /// In this order: a batch out of [bounds](crate::limits), without a write, writing a key twice
    /// or naming a key of another scope is refused ([`Invalid`](crate::Error::Invalid)). A batch
    /// whose operation id the scope remembers is not applied again: the answer is the revision of
    /// the first time. The guards are checked in their order; the first that does not hold is
    /// named ([`Conflict`](crate::Error::Conflict)). The writes take effect in their order, so
    /// that a unique value freed by one write can be taken by a later one; the first unique value
    /// that another record holds is named ([`Taken`](crate::Error::Taken)).
    ///
    /// Deleting what is not there is no error. Costs O(log n) for each write, and one
    /// acknowledgement of the medium, which commits that wait at the same time share.
    ///
    /// # Errors
    /// Those above, [`Unavailable`](crate::Error::Unavailable) if it did not happen, and
    /// [`Unknown`](crate::Error::Unknown) if it may have.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>>;

    /// Every change of `scope` after `since`, in commit order, without a gap, each once; then,
    /// as they are made, those to come. Only what is acknowledged, or will be, is shown.
    ///
    /// Resume with the revision of the last change seen. The stream ends after an error. It holds
    /// a bounded number of changes in memory however slowly it is read.
    ///
    /// # Errors
    /// [`Compacted`](crate::Error::Compacted) if changes after `since` are no longer remembered,
    /// at the start or because the stream was read too slowly;
    /// [`Behind`](crate::Error::Behind) if the scope does not reach `since` in a bounded time;
    /// [`Unavailable`](crate::Error::Unavailable) when the store is closed.
    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>>;
}

/// How new an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Everything that was acknowledged before the read began.
    Latest,
    /// At least this revision of the scope; waits for it, bounded.
    AtLeast(Revision),
    /// Whatever is at hand without asking anyone else. A backend on one node has the latest.
    Stale,
}
