use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Key, Memory, Page, Query, Read, Record, Result, Revision,
    Scope, Store, Stored,
};
use tokio::task::yield_now;

/// A store in memory that lets every other task go first: requests made at once interleave at
/// each of their reads and commits, instead of running one after the other.
#[derive(Default)]
pub(super) struct Interleaved(Memory);

impl Store for Interleaved {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            yield_now().await;
            self.0.get(key, read).await
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            yield_now().await;
            self.0.list(query, read).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            yield_now().await;
            self.0.commit(batch).await
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.0.watch(scope, since)
    }
}
