//! A scope as of one revision, by listing its tables and watching it meanwhile.
//!
//! A page of a later revision shows some of what the changes say and not the rest, but a record
//! that no change touched is the same in each. So the state at the last revision is: of a record
//! that was changed, what the last change made of it; of every other, what was listed.

use std::pin::pin;

use futures::StreamExt;

use crate::change::Change;
use crate::error::{Error, Result};
use crate::name::Name;
use crate::query::{Page, Query};
use crate::record::{Record, Stored};
use crate::revision::Revision;
use crate::scope::Scope;
use crate::store::{Read, Store};

/// What takes a snapshot in.
pub(crate) trait Sink: Send {
    /// Why it could not.
    type Error: From<Error>;

    /// The first page shows this revision; gives the one that the changes are to follow, which is
    /// not later. Called once, before everything else.
    fn begin(
        &mut self,
        revision: Revision,
    ) -> impl Future<Output = Result<Revision, Self::Error>> + Send;

    /// The records of one page.
    fn records(
        &mut self,
        records: Vec<Stored<Record>>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The next change, of any table; any number of them between two pages.
    fn change(&mut self, change: Change) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Tells the sink of the tables of a scope, page by page, and of every change up to the revision
/// that is given, which no page exceeds.
///
/// # Errors
/// Those of the sink and of the store; [`Compacted`](Error::Compacted) if the store forgets
/// changes sooner than they are read, [`Corrupt`](Error::Corrupt) for the first record that
/// cannot be read.
pub(crate) async fn snapshot<S: Sink>(
    store: &dyn Store,
    scope: &Scope,
    tables: &[Name],
    limit: usize,
    sink: &mut S,
) -> Result<Revision, S::Error> {
    let mut changes = None;
    let (mut seen, mut newest) = (Revision::ZERO, Revision::ZERO);
    for table in tables {
        let mut query = Query::new(scope.clone(), table.clone());
        query.limit = limit;
        loop {
            let page = match &mut changes {
                None => {
                    let page = whole_page(store, &query).await?;
                    seen = sink.begin(page.revision).await?;
                    changes = Some(store.watch(scope.clone(), seen));
                    page
                }
                Some(changes) => {
                    let mut page = pin!(whole_page(store, &query));
                    loop {
                        tokio::select! {
                            page = &mut page => break page?,
                            change = changes.next() => seen = tell(change, sink).await?,
                        }
                    }
                }
            };
            newest = newest.max(page.revision);
            sink.records(page.records).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    match changes {
        None => seen = sink.begin(Revision::ZERO).await?,
        Some(mut changes) => {
            while seen < newest {
                seen = tell(changes.next().await, sink).await?;
            }
        }
    }
    Ok(seen)
}

async fn tell<S: Sink>(change: Option<Result<Change>>, sink: &mut S) -> Result<Revision, S::Error> {
    let change = change.unwrap_or_else(|| {
        Err(Error::Unavailable {
            reason: "it stopped telling its changes".to_owned(),
        })
    })?;
    let revision = change.revision;
    sink.change(change).await?;
    Ok(revision)
}

/// A page of which every record can be read.
pub(crate) async fn whole_page(store: &dyn Store, query: &Query) -> Result<Page> {
    let mut page = store.list(query, Read::Latest).await?;
    match page.unreadable.is_empty() {
        true => Ok(page),
        false => Err(page.unreadable.swap_remove(0)),
    }
}
